#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Forked children whose process number comes again, as a server's do after a while: their attempts
are not to be confused, although some were killed and left theirs open."""
import collections
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.getcwd(), "tests/stress"))
import logs  # noqa: E402  # pylint: disable=wrong-import-position

CHILDREN = 40
NAMESPACES = ("-p", "-f", "--mount-proc") if os.geteuid() == 0 else ("-r", "-p", "-f", "--mount-proc")


def check(path):
    log = logs.Log(path)
    phases = collections.defaultdict(list)
    for _, record in log:
        phases[record["process.pid"], record["attempt"]].append(record["phase"])
    closed = sum(each == ["begin", "end"] for each in phases.values())
    opened = sum(each == ["begin"] for each in phases.values())
    problems = []
    if (closed, opened, len(phases)) != (CHILDREN // 2, CHILDREN // 2, CHILDREN):
        problems.append("%d children, one attempt each, half of them killed: the log names %d attempts, "
                        "%d with begin and end, %d without end" % (CHILDREN, len(phases), closed, opened))
    if log.records != CHILDREN + CHILDREN // 2 or log.lost or log.torn:
        problems.append("%d records, %d lost, %d torn" % (log.records, log.lost, log.torn))
    return problems


def main():
    if not logs.may_unshare(*NAMESPACES):
        print("SKIPPED: a process namespace is not to be had here, and so no process number twice")
        return 0
    with tempfile.TemporaryDirectory(prefix="tcpdiag-same-pid-") as folder:
        path = os.path.join(folder, "log.jsonl")
        setting = ["%s=%s" % each for each in logs.environment(path).items()]
        status = subprocess.run(["unshare", *NAMESPACES, "env", *setting, logs.program("same_pid"), str(CHILDREN)],
                                check=False).returncode
        if status == 3:
            print("SKIPPED: the kernel does not give process numbers on request (/proc/sys/kernel/ns_last_pid)")
            return 0
        problems = check(path) if status == 0 else ["the program's exit status is %d" % status]
    print("%d children, %d wrong" % (CHILDREN, len(problems)))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
