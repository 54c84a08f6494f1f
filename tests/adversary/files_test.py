#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The log, and the world around it, change between two connects."""
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position
import validate  # noqa: E402  # pylint: disable=wrong-import-position

MAY_UNSHARE = run.may_unshare("-Urmn")
NO_NAMESPACES = "SKIPPED: this machine gives a user no namespaces"


class Files(run.SceneTest):
    PROGRAM = "files"

    def unshared(self, scene, *before):
        """The scene in namespaces of its own, after shell commands in its folder."""
        return ["unshare", "-Urmn", "sh", "-ec", "; ".join(["ip link set lo up", *before, 'exec "$0" "$1"']),
                *self.command(scene)]

    def play_command(self, command, begins=None, ends=None, name="log.jsonl", **options):
        bare = run.Run(command, False, **options)
        self.assertEqual(bare.status, 0, bare.err)
        played = run.Run(command, True, **options)
        self.same(bare, played)
        self.check_log(played, begins, ends, name=name)
        return played

    def test_file_size_limit_lowered_between_two_records(self):
        self.play("limited_later", 1, 1)

    def test_file_size_limit_reached(self):
        played = self.play("limit_reached", killed=["any"])
        self.assertGreater(len(played.records()), 20)
        self.assertLessEqual(os.path.getsize(played.log()), 20000)

    def test_relative_path_and_another_folder(self):
        self.play("elsewhere", 3, 3, setting="log.jsonl")

    def test_deleted_truncated_replaced(self):
        self.play("log_deleted", 1, 1)
        self.play("log_truncated", 1, 1)
        for scene in ("log_becomes_folder", "log_becomes_link", "log_becomes_fifo"):
            command = self.command(scene)
            self.assertEqual([run.Run(command, shimmed).status for shimmed in (False, True)], [0, 0])

    @unittest.skipIf(run.LINKED_IN, "LeakSanitizer wants a /proc in the jail, bare too")
    @unittest.skipUnless(MAY_UNSHARE, NO_NAMESPACES)
    def test_jail(self):
        self.play_command(self.unshared("jailed"), 2, 2)

    @unittest.skipUnless(MAY_UNSHARE, NO_NAMESPACES)
    def test_new_namespaces(self):
        self.play_command(self.unshared("unshared"), 4, 4)

    def test_privileges_dropped(self):
        if run.Run(self.command("privileges_dropped"), False).status == 77:
            self.skipTest("SKIPPED: this user has no other user to become")
        self.play("privileges_dropped", 2, 2)

    @unittest.skipUnless(MAY_UNSHARE, NO_NAMESPACES)
    def test_read_only(self):
        self.play_command(self.unshared("refused_once", "mkdir seen", "mount --bind seen seen",
                                        "mount -o remount,bind,ro seen", "export TCPDIAG_LOG=seen/log.jsonl"),
                          0, 0)

    @unittest.skipUnless(MAY_UNSHARE, NO_NAMESPACES)
    def test_full_file_system(self):
        """What was lost is counted, and what is there is whole but for the line that did not fit."""
        command = self.unshared("full_and_free_again", "mkdir full",
                                "mount -t tmpfs -o size=64k tmpfs full",
                                "export TCPDIAG_LOG=full/log.jsonl", "trap : EXIT",
                                '"$0" "$1"; cp full/log.jsonl . 2>/dev/null || :; exit 0')
        bare, played = run.Run(command, False), run.Run(command, True)
        self.same(bare, played)
        with open(played.log(), "rb") as lines:
            lines = list(lines)
        whole = [line for line in lines if not validate.problems_of_line(line)]
        self.assertLessEqual(len(lines) - len(whole), 1, lines)
        records = [validate.parse(line) for line in whole]
        lost = sum(record.get("lost", 0) for record in records)
        self.assertGreater(lost, 0)
        self.assertEqual(len(records) + lost, 220)

    def test_standard_error_asleep(self):
        """A pipe and a terminal that nobody reads, eight threads: the program must not wait."""
        for make in (os.pipe, pty.openpty):
            ours, theirs = make()
            try:
                done = run.Run(self.command("threads_refused"), True, setting="stderr", stderr=theirs)
                self.assertEqual(done.status, 0, make)
            finally:
                os.close(ours)
                os.close(theirs)

    def test_standard_error_read(self):
        """Every record arrives, whole: a pipe that is read, and a file."""
        played = run.Run(self.command("refused_once"), True, setting="stderr")
        self.assertEqual(len(played.err.splitlines()), 2)
        for line in played.err.splitlines(keepends=True):
            self.assertEqual(validate.problems_of_line(line), [])

    def test_background_job_of_a_terminal(self):
        """TOSTOP: a terminal stops background jobs that write to it, and so would our record."""
        master, slave = pty.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[3] |= termios.TOSTOP
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        environment = {**os.environ, "TCPDIAG_LOG": "stderr"}
        if not run.LINKED_IN:
            environment["LD_PRELOAD"] = run.SHIM
        leader = os.fork()
        if leader == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                os.dup2(slave, 2)
                command = self.command("refused_once")
                os.execve(command[0], command, environment)
            _, status = os.waitpid(job, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                os.kill(job, signal.SIGKILL)
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)
        _, status = os.waitpid(leader, 0)
        self.assertEqual(os.WEXITSTATUS(status), 0)
        waiting = struct.unpack("i", fcntl.ioctl(master, termios.FIONREAD, b"\0" * 4))[0]
        self.assertGreater(waiting, 0)
        os.close(master)
        os.close(slave)


if __name__ == "__main__":
    unittest.main()
