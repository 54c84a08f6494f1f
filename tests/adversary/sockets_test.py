#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The error of a socket is the program's: programs that learn of it late or in a roundabout way."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position

OWN_THREAD = "ThreadSanitizer has a thread of its own, before the first record of a forked child"


class Sockets(run.SceneTest):
    PROGRAM = "sockets"

    def test_shutdown_of_a_failed_connect(self):
        self.play("shutdown_failed", 1, 1, ["refused"])

    def test_dissolved(self):
        self.play("dissolved_failed", 1, 1)
        self.play("dissolved_pending", 4, 4, ["abandoned", "connected"] * 2)

    def test_exec_that_fails(self):
        self.play("failed_exec", 2, 2, ["refused", "refused"])

    def test_exec_that_keeps_the_socket(self):
        self.play("exec_keeps_it", 1, 1)

    def test_children_that_have_the_socket(self):
        self.play("spawned_child_has_it", 1, 1)
        self.play("vforked_child_has_it", 1, 1)

    def test_passed_over_a_unix_socket(self):
        self.play("passed_on", 1, 1, ["refused"])
        self.play("passed_before", 1, 1, ["refused"])
        self.play("received_and_sent_back", 1, 1, ["refused"])

    @unittest.skipIf(run.LINKED_IN, OWN_THREAD)
    def test_held_by_somebody_before_the_connect(self):
        self.play("dup_before", 1, 1, ["refused"])
        self.play("dup_and_close_before", 1, 1, ["refused"])
        self.play("child_connects_parents_socket", 3, 3, ["refused"] * 3)
        self.play("parent_closes_childs_socket", 1, 1, ["refused"])
        self.play("thread_with_its_own_descriptors", 1, 1, ["refused"])
        self.play("holder_by_syscall", 2, 2, ["refused"] * 2)
        self.play("child_by_another_name", 1, 1, ["refused"])

    @unittest.skipIf(run.LINKED_IN, "the hooks go with the program")
    def test_held_by_another_image(self):
        self.play("inherited_by_exec", 1, 1, ["refused"])
        played = self.play("grandchild_has_it", 1, 1, ["refused"])
        self.assertEqual(played.out, b"Connection refused\n")

    @unittest.skipIf(run.LINKED_IN, "the hooks go with the program")
    def test_taken_by_pidfd_getfd(self):
        """The row of docs/limits.md: it fails when the limit goes."""
        bare, shimmed = (run.Run(self.command("taken_by_pidfd"), shimmed) for shimmed in (False, True))
        self.assertEqual((bare.status, shimmed.status), (0, 0), bare.err)
        self.assertEqual((bare.out, shimmed.out), (b"Connection refused\n", b"Success\n"))

    def test_second_and_third_descriptor(self):
        self.play("dup_twice", 1, 1)
        self.play("dup_by_fcntl", 1, 1, ["refused"])

    def test_calls_that_fail_by_themselves(self):
        self.play("close_range_refused", 1, 1, ["refused"])
        self.play("transfer_refused", 1, 1, ["refused"])

    def test_one_byte_of_the_error(self):
        self.play("one_byte_of_error", 1, 1, ["refused"])

    def test_errno_poisoned(self):
        self.play("poisoned", 5, 5, ["connected"] * 4 + ["refused"])

    def test_nested_epolls(self):
        self.play("nested_epolls", 1, 1, ["refused"])

    def test_number_reused_while_connect_waits(self):
        played = self.play("number_reused_in_connect", 2, 2)
        self.assertEqual([(r["outcome"], r.get("cause")) for r in played.records() if r["phase"] == "end"],
                         [("connected", None), ("timeout", "gave-up-waiting")])

    @unittest.skipIf(run.LINKED_IN, "the program's own races are meant, and a sanitizer reports them")
    def test_descriptors_churned_by_threads(self):
        self.play("churned_by_threads")

    def test_other_protocols(self):
        self.play("no_tcp")


if __name__ == "__main__":
    unittest.main()
