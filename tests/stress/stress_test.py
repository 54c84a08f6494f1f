#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many threads and processes on one log, some of them killed: afterwards every record is whole but
for one of each that was killed, every attempt has one begin and one end, and the numbers are those
of the members' own counts.

stress_test.py [ATTEMPTS [SEED|random [THREADS...]]]

So many attempts in each thread; THREADS: of each process. By hand: bazel run //tests/stress -- 2000
"""
import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [os.path.join(os.getcwd(), "tests/schema"), os.path.join(os.getcwd(), "tests/stress")]
import logs  # noqa: E402  # pylint: disable=wrong-import-position
import validate  # noqa: E402  # pylint: disable=wrong-import-position

THREADS = [64] + [2] * 31  # of each process
KILLED = 8
AGAINST_SCHEMA = 3000  # lines held against the schema; all are parsed and paired
WORDS = ("connected", "refused", "abandoned")


def start_all(program, log, ports, work, told):
    attempts, seed, threads_of_each = work
    return [subprocess.Popen([program, "member", str(seed + 1000 * i), str(threads), str(attempts), *ports],
                             env=logs.environment(log), stdout=told)
            for i, threads in enumerate(threads_of_each)]


def kill_some(members, log, choice):
    """Each at another size of the log, so that they die in the middle of their work."""
    for victim in choice.sample(members[1:], min(KILLED, len(members) // 4)):
        size = os.path.getsize(log) if os.path.exists(log) else 0
        wanted = size + choice.randrange(1000, 30000)
        while victim.poll() is None and (not os.path.exists(log) or os.path.getsize(log) < wanted):
            time.sleep(0.001)
        victim.send_signal(signal.SIGKILL)


def read_log(path, dead):
    """(place, record) of each record, and what is wrong with them."""
    log = logs.Log(path)
    records, problems = list(log), []
    for place, record in records[::max(1, len(records) // AGAINST_SCHEMA)]:
        problems += ["%s: %s" % (place, each) for each in validate.problems_of_record(record)]
    if log.torn > len(dead):
        problems.append("%d processes were killed, and %d records are torn" % (len(dead), log.torn))
    if log.lost:
        problems.append("%d records were lost" % log.lost)
    return records, problems + validate.problems_of_pairs(records, dead)


def compare(records, told):
    """The log's ends against what each process that lived to tell has told."""
    seen = collections.defaultdict(collections.Counter)
    for _, record in records:
        if record["phase"] == "end":
            outcome = record["outcome"]
            # Closed before an answer, but the machine was so busy that a second had passed.
            if outcome == "timeout" and record["duration_ms"] >= 1000:
                outcome = "abandoned"
            seen[record["process.pid"]][outcome] += 1
    problems = []
    for pid, counts in told.items():
        if dict(counts) != {word: seen[pid][word] for word in WORDS} or len(seen[pid]) > len(WORDS):
            problems.append("process %d counted %s, the log has %s" % (pid, counts, dict(seen[pid])))
    return problems


def main():
    attempts = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = random.randrange(1 << 30)
    if len(sys.argv) > 2 and sys.argv[2] != "random":
        seed = int(sys.argv[2])
    threads = [int(word) for word in sys.argv[3:]] or THREADS
    print("%d processes, %d threads, %d attempts each, seed %d" % (len(threads), sum(threads), attempts, seed))
    program = logs.program("stress_members")
    folder = tempfile.TemporaryDirectory(prefix="tcpdiag-stress-")
    log = os.path.join(folder.name, "log.jsonl")
    server = subprocess.Popen([program, "serve"], stdout=subprocess.PIPE, text=True,
                              env={"TCPDIAG_LOG": os.path.join(folder.name, "server.jsonl")})
    ports = server.stdout.readline().split()
    ours, theirs = os.pipe()
    begin = time.monotonic()
    members = start_all(program, log, ports, (attempts, seed, threads), theirs)
    os.close(theirs)
    killer = threading.Thread(target=kill_some, args=(members, log, random.Random(seed)))
    killer.start()
    with os.fdopen(ours) as lines:  # to its end: until the last child of the last member is gone
        told = {int(line.split()[0]): dict(zip(WORDS, map(int, line.split()[1:]))) for line in lines}
    killer.join()
    seconds = time.monotonic() - begin
    statuses = [member.wait() for member in members]
    server.kill()
    server.wait()
    dead = [str(member.pid) for member, status in zip(members, statuses) if status == -signal.SIGKILL]
    records, problems = read_log(log, dead)
    problems += ["member %d ended with status %d" % (member.pid, status)
                 for member, status in zip(members, statuses) if status not in (0, -signal.SIGKILL)]
    problems += compare(records, told)
    counted = sum(sum(counts.values()) for counts in told.values())
    print("%d attempts counted by %d processes, %d members killed; %d records in %.1f s, %d wrong" %
          (counted, len(told), len(dead), len(records), seconds, len(problems)))
    for problem in problems[:40]:
        print(problem)
    folder.cleanup()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
