#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program that puts a seccomp filter on itself, in kill mode, ends as it does bare, whatever the
filter forbids; and the log is complete, or says that records are missing, or the shim could not know."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

SHIM = os.path.abspath(os.environ.get("TCPDIAG_TEST_LIBRARY", "shim/libtcpdiag.so"))
PROGRAM = os.path.abspath("tests/faults/confined")
ENTRIES = ["prctl", "syscall", "prctl-by-syscall"]
HIGHEST = 470  # above every system call of Linux 6

# The connects after the filter; each has a begin and an end.
CONNECTS = 4


def run(entry, what, shimmed, folder):
    environment = {"PATH": os.environ["PATH"]}
    if shimmed:
        environment.update(LD_PRELOAD=SHIM, TCPDIAG_LOG=os.path.join(folder, "log"), TCPDIAG_WARN="1")
    done = subprocess.run([PROGRAM, entry, str(what)], env=environment, check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    records = []
    if os.path.exists(os.path.join(folder, "log")):
        with open(os.path.join(folder, "log"), encoding="utf-8") as log:
            records = [json.loads(line) for line in log]
    return done, records


class Confined(unittest.TestCase):
    def both(self, entry, what):
        with tempfile.TemporaryDirectory() as folder:
            bare, _ = run(entry, what, False, folder)
            done, records = run(entry, what, True, folder)
        said = b"forbids itself" in done.stderr
        errors = b"".join(line for line in done.stderr.splitlines(True) if not line.startswith(b"libtcpdiag: "))
        self.assertEqual((bare.returncode, bare.stdout, bare.stderr),
                         (done.returncode, done.stdout, errors), f"{entry} {what}")
        return bare, records, said

    def complete(self, records):
        return [sum(r["phase"] == phase for r in records) for phase in ("begin", "end")] == [CONNECTS] * 2

    def test_each_call_forbidden(self):
        lost = []
        killed = []
        for number in range(HIGHEST):
            bare, records, said = self.both(ENTRIES[number % 3], number)
            if bare.returncode == -signal.SIGSYS:
                killed.append(number)  # the program's own call
            elif not self.complete(records):
                lost.append(number)
                self.assertTrue(said or any("lost" in r for r in records) or not records, number)
        print(f"{HIGHEST} filters: {len(killed)} kill the program by itself, {len(lost)} cost records: {lost}")
        self.assertLess(len(killed), 12)
        self.assertLess(len(lost), 12)

    def test_only_what_the_program_uses(self):
        for entry in ENTRIES:
            bare, records, said = self.both(entry, "only")
            self.assertEqual(bare.returncode, 0)
            self.assertTrue(said)
            self.assertEqual(records, [])

    def test_filter_on_an_argument(self):
        for entry in ENTRIES:
            self.assertEqual(self.both(entry, "argument")[0].returncode, 0)

    def test_what_the_kernel_refuses_is_no_filter(self):
        for what in ["refused", "listener"]:
            bare, records, said = self.both("syscall", what)
            self.assertEqual((bare.returncode, bare.stderr), (0, b""))
            self.assertFalse(said)
            self.assertTrue(self.complete(records), (what, records))

    def test_strict(self):
        for entry in ENTRIES:
            bare, _, said = self.both(entry, "strict")
            self.assertEqual((bare.returncode, bare.stdout), (0, b"strict\n"))
            self.assertTrue(said)


if __name__ == "__main__":
    if os.environ.get("TCPDIAG_HOOKS_LINKED_IN") == "1":
        sys.exit(print("SKIPPED: a sanitizer makes calls of its own, which the filters forbid"))
    unittest.main()
