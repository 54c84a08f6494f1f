#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The numbers of a program's descriptors are what they are bare, whatever the shim opens meanwhile."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position

FOREVER = {"killed": ["any"]}  # the last connect may be cut off by the end of the process


@unittest.skipIf(run.LINKED_IN, "a sanitizer's runtime opens files and makes threads of its own")
class Descriptors(run.SceneTest):
    PROGRAM = "descriptors"

    def test_lowest_number_while_threads_connect(self):
        for scene in ("lowest_opened", "stdin_replaced", "child_opens", "with_two_hundred"):
            with self.subTest(scene):
                self.play(scene, **FOREVER)

    def test_a_number_of_the_programs_own_is_never_closed(self):
        for scene in ("number_chosen", "high_number_chosen", "high_number_while_failures_close"):
            with self.subTest(scene):
                self.play(scene, **FOREVER)

    def test_the_first_connect_is_a_threads(self):
        for scene in ("first_by_thread", "first_by_clone"):
            with self.subTest(scene):
                self.play(scene, begins=300, **FOREVER)

    def test_a_thread_that_nobody_saw_being_made(self):
        played = self.play("first_by_instruction", **FOREVER)
        self.assertEqual(played.records(), [] if os.uname().machine == "x86_64" and not run.LINKED_IN
                         else played.records())

    def test_another_process_has_the_same_descriptors(self):
        self.play("first_by_sharing", **FOREVER)

    def test_a_log_that_is_rotated(self):
        self.play("rotated_among_threads", **FOREVER)

    def test_one_descriptor_is_the_logs(self):
        bare, shimmed = (run.Run(self.command("emfile"), shimmed) for shimmed in (False, True))
        self.assertEqual((bare.status, shimmed.status), (0, 0))
        if not run.LINKED_IN:
            self.assertEqual(int(bare.out.split()[0]) - 1, int(shimmed.out.split()[0]))

    def test_many_are_open_before_the_first_connect(self):
        self.play("three_hundred_open", 1, 1, ["refused"])
        self.play("nearly_all_open", 1, 1, ["refused"])

    def test_a_terminal_is_let_go(self):
        """Its reader sees the end when the program lets go, whatever a vfork child has done before."""
        for shimmed in (False, True):
            self.assertEqual(terminal(self.command("stderr_let_go_after_vfork"), shimmed)[0], 0, shimmed)

    def test_standard_error_is_a_terminal(self):
        for scene in ("lowest_opened", "stdin_replaced", "child_opens", "number_chosen", "first_by_thread"):
            with self.subTest(scene):
                bare, shimmed = (terminal(self.command(scene), with_shim) for with_shim in (False, True))
                self.assertEqual((bare[0], shimmed[0]), (0, 0), shimmed[1][-400:])
                if not run.LINKED_IN:
                    self.assertEqual(bare[1], b"")
                self.assertIn(b'"phase":"begin"', shimmed[1])


def terminal(command, shimmed):
    """Runs it with standard error on a pseudo-terminal that is read; status and what was read."""
    import pty  # pylint: disable=import-outside-toplevel
    import subprocess  # pylint: disable=import-outside-toplevel
    import threading  # pylint: disable=import-outside-toplevel
    environment = {"PATH": os.environ["PATH"]}
    if shimmed:
        environment.update(TCPDIAG_LOG="stderr", **({} if run.LINKED_IN else {"LD_PRELOAD": run.SHIM}))
    master, slave = pty.openpty()
    read = bytearray()

    def reader():
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # EIO: nobody has the other side any more
                return
            read.extend(data[-len(data):] if len(read) < 1 << 20 else b"")
    thread = threading.Thread(target=reader)
    thread.start()
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=slave, timeout=run.SECONDS, check=False)
    os.close(slave)
    thread.join()
    os.close(master)
    return done.returncode, bytes(read)


if __name__ == "__main__":
    unittest.main()
