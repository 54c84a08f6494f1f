#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that are killed at any moment, on one log with others that are not. A kill costs at most
the record that was being written; every other one can be read, and nothing is counted as lost.

kills_test.py [COUNT [SEED]]   by hand: bazel run //tests/stress:kills_test -- 10000
"""
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.getcwd(), "tests/stress"))
import logs  # noqa: E402  # pylint: disable=wrong-import-position

SURVIVORS = 2


class Process:
    """Has one thread, which connects and closes: begin, end, begin, ..., numbered in order."""

    def __init__(self):
        self.ends = 0
        self.number = None
        self.open = False

    def takes(self, record):
        """Whether this is the record that has to come next."""
        number, begins = int(record["attempt"].rpartition("-")[2]), record["phase"] == "begin"
        right = self.open != begins and (self.number is None or number == self.number + begins)
        self.number, self.open = number, begins
        self.ends += not begins
        return right


def check(log, survivors, killed):
    processes, problems = {}, []
    for place, record in log:
        pid = record["process.pid"]
        if not processes.setdefault(pid, Process()).takes(record):
            problems.append("%s: process %d (%s): records are missing before attempt %s, %s" %
                            (place, pid, "survived" if pid in survivors else "killed", record["attempt"],
                             record["phase"]))
    for pid, attempts in survivors.items():
        ends = processes[pid].ends if pid in processes else 0
        if ends != attempts or processes[pid].open:
            problems.append("process %d survived and made %d attempts, the log has %d" % (pid, attempts, ends))
    problems += ["process %d is unknown" % pid for pid in processes.keys() - survivors.keys() - killed]
    if log.torn > len(killed):
        problems.append("%d processes were killed, and %d records are torn" % (len(killed), log.torn))
    # Several writers may see the same half line at once, and each begins a line of its own.
    if log.empty > len(killed):
        problems.append("%d empty lines, more than processes were killed" % log.empty)
    if log.lost:
        problems.append("%d records are counted as lost, and none was" % log.lost)
    return problems


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tcpdiag-kills-") as folder:
        path = os.path.join(folder, "log.jsonl")
        told = subprocess.run([logs.program("kills"), str(count), str(SURVIVORS), str(seed)], check=True,
                              env=logs.environment(path), stdout=subprocess.PIPE, text=True)
        lines = [[int(word) for word in line.split()] for line in told.stdout.splitlines()]
        survivors = {line[0]: line[1] for line in lines if len(line) == 2}
        killed = {line[0] for line in lines if len(line) == 1}
        log = logs.Log(path)
        problems = check(log, survivors, killed)
    if len(survivors) != SURVIVORS or len(killed) < min(count, 10000):
        problems.append("%d survivors, %d killed" % (len(survivors), len(killed)))
    print("%d processes killed (seed %d), %d records: %d torn, %d behind a torn one, %d empty lines; %d wrong, %.1f s" %
          (len(killed), seed, log.records, log.torn, log.glued, log.empty, len(problems), time.monotonic() - begin))
    print("\n".join(problems[:20]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
