#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signals, threads, forks and limits in the middle of a connect."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position

LEAVES_ATTEMPTS_OPEN = {"killed": ["any"]}  # the handler jumps out of the library itself


class Processes(run.SceneTest):
    PROGRAM = "processes"

    def last_is_refused(self, played):
        last = [r for r in played.records() if r["phase"] == "end"][-1]
        self.assertEqual(last["outcome"], "refused")
        self.assertNotIn("lost", last)

    @unittest.skipIf(run.LINKED_IN, "AddressSanitizer takes the unwound frames for an overflow, bare too")
    def test_cancelled_in_connect(self):
        played = self.play("cancelled")
        ends = [r for r in played.records() if r["phase"] == "end"]
        self.assertEqual({(r["outcome"], r.get("cause")) for r in ends},
                         {("refused", "port-closed"), ("abandoned", "out-of-sight")})

    def test_longjmp_out_of_connect(self):
        played = self.play("jumped_out_of_silence", begins=101, ends=101)
        causes = [r.get("cause") for r in played.records() if r["phase"] == "end"]
        self.assertEqual(causes.count("out-of-sight"), 100)
        self.assertEqual(causes.count("port-closed"), 1)

    @unittest.skipIf(run.LINKED_IN, "a sanitizer's runtime is no place to jump out of")
    def test_longjmp_out_of_the_shim(self):
        played = self.play("jumped_anywhere", **LEAVES_ATTEMPTS_OPEN)
        self.assertEqual([r["outcome"] for r in played.records() if r["phase"] == "end"][-1], "refused")

    def test_handler_that_connects(self):
        self.play("handler_connects")

    def test_fork_while_threads_connect(self):
        self.play("forked_while_threads_connect")

    def test_vfork_child_connects(self):
        self.play("vforked_child_connects", begins=40, ends=40)

    def test_daemon(self):
        self.play("daemonized", begins=2, ends=2, outcomes=["refused"] * 2)

    @unittest.skipIf(run.LINKED_IN, "the hooks are part of the program, whatever its environment")
    def test_exec_with_and_without_environment(self):
        self.play("exec_here_and_there", begins=1, ends=1)

    def test_few_descriptors(self):
        self.play("four_descriptors", ends=3)
        self.play("eleven_descriptors", ends=3)

    def test_many_descriptors(self):
        self.play("a_million_descriptors", 1, 1, ["refused"])

    @unittest.skipIf(run.LINKED_IN, "a sanitizer needs more stack")
    def test_small_stack(self):
        self.play("sixteen_kib_in_flight", 3, 3)

    def test_own_clock(self):
        self.play("own_clock", 2, 2, ["refused"] * 2)


if __name__ == "__main__":
    unittest.main()
