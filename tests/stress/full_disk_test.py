#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two processes on one log, on a small file system that one or the other fills up and that is
emptied again. What the log lacks is counted, to the record, by the process that lacks it.

full_disk_test.py [ROUNDS [SEED]]
"""
import collections
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.getcwd(), "tests/stress"))
import logs  # noqa: E402  # pylint: disable=wrong-import-position

INSIDE = "TCPDIAG_INSIDE_NAMESPACE"
SIZE = 256 * 1024
NAMESPACE = ("-m",) if os.geteuid() == 0 else ("-r", "-m")


class Writer:
    """Connects as often as it is told to."""

    def __init__(self, log):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([logs.program("on_command")], env=logs.environment(log), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.made = 0

    def make(self, count):
        print(count, file=self.process.stdin, flush=True)
        self.made = int(self.process.stdout.readline().split()[1])

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()


def fill(folder, left):
    """Leaves so many bytes of the file system, the last page of the log included."""
    with open(os.path.join(folder, "stone"), "wb") as stone:
        free = os.statvfs(folder)
        stone.write(bytes(max(0, free.f_bavail * free.f_frsize - left)))


def play_round(folder, writers, choice):
    """Both fill what is left up, then there is space again, and each in its turn writes."""
    fill(folder, choice.choice((4096, 8192, 12288)))
    for _ in range(6):
        choice.choice(writers).make(choice.randrange(1, 12))
    os.unlink(os.path.join(folder, "stone"))
    for writer in choice.sample(writers, len(writers)):
        writer.make(1)


def check(path, writers):
    log = logs.Log(path)
    records, lost = collections.Counter(), collections.Counter()
    for _, record in log:
        records[record["process.pid"]] += 1
        lost[record["process.pid"]] += record.get("lost", 0)
    problems = []
    for writer in writers:
        pid = writer.process.pid
        if records[pid] + lost[pid] != 2 * writer.made:
            problems.append("process %d made %d attempts, its log has %d records and counts %d as lost" %
                            (pid, writer.made, records[pid], lost[pid]))
    # One writes after the other: each can see where the last line ends.
    if log.glued:
        problems.append("%d records stand behind another writer's half line" % log.glued)
    if log.empty > log.torn:
        problems.append("%d empty lines, %d torn ones" % (log.empty, log.torn))
    return log, problems


def inside(rounds, seed):
    choice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tcpdiag-full-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % SIZE, "tmpfs", folder], check=True)
        log, problems, lost = None, [], 0
        for _ in range(rounds):
            path = os.path.join(folder, "log.jsonl")
            writers = [Writer(path), Writer(path)]
            for _ in range(3):
                play_round(folder, writers, choice)
            problems += ["a writer's exit status is not 0"] * sum(each.end() != 0 for each in writers)
            log, more = check(path, writers)
            problems += more
            lost += log.lost
            os.unlink(path)
        subprocess.run(["umount", folder], check=True)
    if lost == 0:
        problems.append("no record was ever lost: the file system was not full")
    print("%d rounds (seed %d), %d records lost and counted, %d wrong" % (rounds, seed, lost, len(problems)))
    print("\n".join(problems[:20]))
    return 1 if problems else 0


def main():
    rounds = sys.argv[1] if len(sys.argv) > 1 else "20"
    seed = sys.argv[2] if len(sys.argv) > 2 else str(random.randrange(1 << 30))
    if os.environ.get(INSIDE):
        return inside(int(rounds), int(seed))
    if not logs.may_unshare(*NAMESPACE):
        print("SKIPPED: a mount namespace is not to be had here, and so no small file system")
        return 0
    return subprocess.run(["unshare", *NAMESPACE, os.path.abspath(__file__), rounds, seed], check=False,
                          env={**os.environ, INSIDE: "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
