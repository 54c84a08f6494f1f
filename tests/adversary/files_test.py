#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The log, and the world around it, change between two connects."""
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
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

    def test_standard_error_whose_inode_is_another_file_s(self):
        """ext4 gives a deleted file's inode number to the next new file."""
        for shimmed in (False, True):
            with tempfile.TemporaryDirectory(prefix="tcpdiag-adversary-") as folder:
                with open(os.path.join(folder, "err.txt"), "w", encoding="utf-8") as err:
                    done = subprocess.run(self.command("standard_error_replaced"), cwd=folder, check=False, stderr=err,
                                          stdout=subprocess.PIPE, env=environment(shimmed, TCPDIAG_LOG="stderr"))
                self.assertEqual((done.returncode, done.stdout), (0, b"4 bytes\n"), shimmed)


def environment(shimmed, **more):
    result = {"PATH": os.environ["PATH"]}
    if shimmed:
        result.update(more, **({} if run.LINKED_IN else {"LD_PRELOAD": run.SHIM}))
    return result


ONE_USER = "SKIPPED: only root, and not in a namespace with one user, can make another user's files"


def may_give_away():
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.chown(file.name, 65534, -1)
            return True
        except OSError:
            return False


def tree(folder):
    """Each name below the folder, and whose it is."""
    found = {}
    for at, names, files in os.walk(folder):
        for name in names + files:
            path = os.path.join(at, name)
            found[os.path.relpath(path, folder)] = os.lstat(path).st_uid
    return found


@unittest.skipIf(run.LINKED_IN, "a sanitizer build plays the same code elsewhere")
class Places(unittest.TestCase):
    """Where the log is made, and where it is not. Each test has /tmp to itself."""
    OTHER = 65534
    COMMAND = os.path.abspath("tests/adversary/files")

    def connect(self, *before, **settings):
        """After shell commands in a mount namespace in which /tmp and /work are new; returns what is
        there afterwards, with owners, and the log records' number in each file."""
        names = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
        with tempfile.TemporaryDirectory(prefix="tcpdiag-adversary-") as folder:
            os.chmod(folder, 0o755)
            script = ["mount --bind . /tmp", "chmod 1777 /tmp", *before, 'exec "$0" refused_once']
            done = subprocess.run([*names, "sh", "-ec", "; ".join(script), self.COMMAND], cwd=folder, check=False,
                                  env=environment(True, **settings), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
            found = tree(folder)
            logs = {}
            for path in found:
                full = os.path.join(folder, path)
                if os.path.isfile(full) and not os.path.islink(full):
                    with open(full, "rb") as text:
                        logs[path] = text.read().count(b'{"time":"')
            return found, logs

    def test_a_home_of_the_users_own(self):
        found, logs = self.connect("mkdir /tmp/home", HOME="/tmp/home")
        self.assertEqual(logs, {"home/.local/state/tcpdiag/tcpdiag.jsonl": 2})
        self.assertEqual(set(found.values()), {os.geteuid()})

    def test_a_folder_of_a_thousand_bytes(self):
        long = "/tmp/" + "/".join(["d" * 200] * 4 + ["e" * 100])
        _, logs = self.connect(f"mkdir -p {long}", XDG_STATE_HOME=long)
        self.assertEqual(list(logs.values()), [2])

    def test_no_home(self):
        _, logs = self.connect()
        self.assertEqual(logs, {f"tcpdiag-{os.geteuid()}/tcpdiag.jsonl": 2})
        found, logs = self.connect(HOME="/tmp/nowhere")
        self.assertNotIn("nowhere", found)
        self.assertEqual(logs, {f"tcpdiag-{os.geteuid()}/tcpdiag.jsonl": 2})

    @unittest.skipUnless(may_give_away(), ONE_USER)
    def test_a_home_of_somebody_else(self):
        for before in ("true", "mkdir /tmp/home/.local", "mkdir -p /tmp/home/.local/state/tcpdiag"):
            with self.subTest(before):
                found, logs = self.connect("mkdir /tmp/home", before, f"chown -R {self.OTHER} /tmp/home", HOME="/tmp/home")
                self.assertEqual(logs, {"tcpdiag-0/tcpdiag.jsonl": 2})
                self.assertEqual({owner for path, owner in found.items() if path.startswith("home")}, {self.OTHER})

    @unittest.skipUnless(may_give_away(), ONE_USER)
    def test_a_link_of_somebody_else_on_the_way(self):
        """Root's own folder, reached by a link that the home's owner has put there."""
        for at in (".local", ".local/state"):
            with self.subTest(at):
                _, logs = self.connect("mkdir -p /tmp/home/.local /tmp/roots", f"rm -rf /tmp/home/{at}",
                                       f"ln -s /tmp/roots /tmp/home/{at}", f"chown -hR {self.OTHER} /tmp/home/{at}",
                                       HOME="/tmp/home")
                self.assertEqual(logs, {"tcpdiag-0/tcpdiag.jsonl": 2})

    def test_a_umask_that_leaves_nothing(self):
        found, logs = self.connect("mkdir /tmp/d", "umask 0777", TCPDIAG_LOG="/tmp/d/log.jsonl")
        self.assertEqual(logs, {"d/log.jsonl": 2})

    @unittest.skipUnless(may_give_away(), ONE_USER)
    def test_a_trap_in_tmp(self):
        traps = {"link": "mkdir /tmp/x; ln -s /tmp/x /tmp/tcpdiag-0; chown -h 65534 /tmp/tcpdiag-0",
                 "folder": "mkdir -m 777 /tmp/tcpdiag-0; chown 65534 /tmp/tcpdiag-0",
                 "open to all": "mkdir -m 777 /tmp/tcpdiag-0",
                 "planted": "mkdir -m 700 /tmp/tcpdiag-0; : >/tmp/tcpdiag-0/tcpdiag.jsonl; chown 65534 /tmp/tcpdiag-0/*"}
        for name, before in traps.items():
            with self.subTest(name):
                _, logs = self.connect(before)
                self.assertEqual([count for count in logs.values() if count], [])

    @unittest.skipUnless(may_give_away(), ONE_USER)
    def test_a_planted_log(self):
        """fs.protected_regular and fs.protected_hardlinks guard against these where they are on."""
        before = "umask 0; : >/tmp/log.jsonl; chown 65534 /tmp/log.jsonl"
        _, logs = self.connect(before, TCPDIAG_LOG="/tmp/log.jsonl")
        self.assertEqual(logs, {"log.jsonl": 0})
        _, logs = self.connect("mkdir -m 755 /tmp/d", "umask 0; : >/tmp/d/log.jsonl; chown 65534 /tmp/d/log.jsonl",
                               TCPDIAG_LOG="/tmp/d/log.jsonl")
        self.assertEqual(logs, {"d/log.jsonl": 2})  # a shared log in a folder that nobody else writes to

    def test_a_hard_link(self):
        _, logs = self.connect(": >/tmp/data; ln /tmp/data /tmp/log.jsonl", TCPDIAG_LOG="/tmp/log.jsonl")
        self.assertEqual(logs, {"data": 0, "log.jsonl": 0})

    def test_a_file_of_the_kernels(self):
        found, _ = self.connect(TCPDIAG_LOG="/proc/self/comm")
        self.assertEqual(found, {})

    @unittest.skipUnless(MAY_UNSHARE, NO_NAMESPACES)
    def test_a_host_with_a_slash(self):
        for name in ("../escaped", "..", "."):
            with tempfile.TemporaryDirectory(prefix="tcpdiag-adversary-") as folder:
                os.mkdir(os.path.join(folder, "logs"))
                script = f'echo "{name}" >/proc/sys/kernel/hostname; exec "$0" refused_once'
                done = subprocess.run(["unshare", "-Uru", "sh", "-ec", script, self.COMMAND], check=False,
                                      env=environment(True, TCPDIAG_LOG=folder + "/logs/%h.jsonl"))
                self.assertEqual(done.returncode, 0)
                self.assertEqual([os.path.dirname(path) for path in tree(folder)], ["", "logs"])


if __name__ == "__main__":
    unittest.main()
