#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Valgrind's tools find in a program under the library what they find in it bare: nothing."""
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position


@unittest.skipIf(run.LINKED_IN, "a sanitizer's program does not run under valgrind")
class Checked(run.SceneTest):
    PROGRAM = "checked"
    tool = ""

    def command(self, scene):
        return ["valgrind", "-q", "--error-exitcode=9", "--trace-children=yes", "--tool=" + self.tool,
                *super().command(scene)]

    def same(self, bare, done):
        records = re.compile(rb'^\{"time":.*\n', re.MULTILINE)
        bare, shimmed = [(each.status, each.out, re.sub(rb"==\d+==", b"", records.sub(b"", each.err)))
                         for each in (bare, done)]
        self.assertEqual(bare, shimmed)

    def tools(self, scene, threads):
        for self.tool in ["memcheck", "helgrind", "drd"]:
            with self.subTest(self.tool):
                # Two turns, each with five connects, and a lookup of an address, which has no record.
                self.play(scene, 10 * threads, 10 * threads)
        with self.subTest("standard error"):
            self.tool = "memcheck"
            self.play(scene, setting="stderr")

    def test_threads(self):
        self.tools("threads", 4)

    def test_child(self):
        self.tools("child", 2)


if __name__ == "__main__":
    if not shutil.which("valgrind"):
        sys.exit(print("SKIPPED: no valgrind here; tools/packages names its package"))
    unittest.main()
