#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcpdiag run as a user drives it: the program's own status and signals, what is preloaded, the
warnings, the summary."""
import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys

sys.path.insert(0, "tests/tools")
from tool import (Case, PROBE, SANITIZER, TCPDIAG, begin, closed_port, harmless_library, main,
                  needs_preload, record, silent_port)  # noqa: E402

SH = "/bin/sh"


class Version(Case):
    def test_the_tool_the_library_and_the_records_have_one(self):
        status, out, error = self.tool("--version")
        self.assertEqual((status, error), (0, ""))
        self.assertRegex(out, r"\Atcpdiag [0-9]+\.[0-9]+\.[0-9]+\n\Z")
        self.assertEqual(self.tool("-V"), (0, out, ""))
        version = out.split()[1]
        with open("shim/libtcpdiag.so", "rb") as library:
            self.assertIn(version.encode(), library.read())
        status, out, _ = self.tool("--json", "127.0.0.1", "1", program=PROBE)
        self.assertEqual(json.loads(out)["tcpdiag.version"], version)

    @needs_preload
    def test_a_log_names_it(self):
        version = self.tool("--version")[1].split()[1]
        self.tool("run", "-q", "-l", self.log, "--", "bash", "-c", "</dev/tcp/127.0.0.1/1")
        self.assertEqual({entry["tcpdiag.version"] for entry in self.records()}, {version})


class Status(Case):
    def run_sh(self, script, *options, **more):
        return self.tool("run", "-q", "-l", self.log, *options, "--", SH, "-c", script, **more)

    def test_exit_status_is_the_programs(self):
        for status in (0, 1, 2, 3, 125, 126, 127, 128, 255):
            self.assertEqual(self.run_sh(f"exit {status}"), (status, "", ""))

    def test_output_and_input_are_the_programs(self):
        status, out, error = self.tool("run", "-q", "-l", self.log, "--", SH, "-c",
                                       "cat; echo to-error >&2", input=b"line\n")
        self.assertEqual((status, out, error), (0, "line\n", "to-error\n"))

    def test_a_signal_that_kills_the_program_kills_tcpdiag(self):
        for name in ("TERM", "KILL", "INT", "HUP", "SEGV", "PIPE", "ABRT"):
            status, _, _ = self.run_sh(f"kill -{name} $$")
            self.assertEqual(status, -getattr(signal, "SIG" + name), name)

    def test_a_signal_to_tcpdiag_reaches_the_program(self):
        for name in ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "ALRM"):
            script = (f"trap 'echo got {name}; exit 7' {name}; echo ready; "
                      "while :; do sleep 0.05; done")
            process = self.start(TCPDIAG, "run", "-q", "-l", self.log, "--", SH, "-c", script)
            self.assertEqual(process.stdout.readline(), b"ready\n")
            process.send_signal(getattr(signal, "SIG" + name))
            out, _ = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (7, f"got {name}\n".encode()))

    def test_a_signal_to_tcpdiag_kills_a_program_that_does_not_mind_it(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(TCPDIAG, "run", "-q", "-l", self.log, "--", SH, "-c",
                                 "echo ready; exec sleep 60")
            process.stdout.readline()
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, -number)

    def test_a_program_that_ignores_a_signal_goes_on(self):
        process = self.start(TCPDIAG, "run", "-q", "-l", self.log, "--", SH, "-c",
                             "trap '' INT; echo ready; read line; exit 5", stdin=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(b"\n", timeout=60)
        self.assertEqual(process.returncode, 5)

    def test_the_program_finds_the_signals_as_they_were(self):
        script = "grep -E '^Sig(Blk|Ign)' /proc/self/status"
        bare = subprocess.run([SH, "-c", script], capture_output=True, env=self.environment,
                              check=True, start_new_session=True).stdout.decode()
        status, out, error = self.run_sh(script)
        self.assertEqual((status, error), (0, ""))
        # Signals 32 and 33 are libc's own (nptl(7)), and a sanitizer resets them.
        self.assertEqual([int(line.split()[1], 16) & 0x7fffffff for line in out.splitlines()],
                         [int(line.split()[1], 16) & 0x7fffffff for line in bare.splitlines()])

    def test_the_program_finds_an_ignored_child_signal_ignored(self):
        process = self.start(TCPDIAG, "run", "-q", "-l", self.log, "--", "grep", "SigIgn",
                             "/proc/self/status",
                             preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(int(out.split()[1], 16) & 1 << signal.SIGCHLD - 1, out)

    def test_standard_error_without_a_reader_changes_no_status(self):
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start(TCPDIAG, "run", "-l", self.path("missing/log"), "--", SH, "-c",
                             "exit 3", stderr=writing)
        os.close(writing)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3)

    def test_the_program_finds_the_pipe_signal_as_it_was(self):
        process = self.start(TCPDIAG, "run", "-q", "-l", self.log, "--", SH, "-c",
                             "kill -PIPE $$; exit 9")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGPIPE)


class CannotRun(Case):
    def expect(self, status, *command, says=""):
        got, out, error = self.tool("run", "-l", self.log, "--", *command)
        self.assertEqual((got, out), (status, ""), error)
        self.assertOneLine(error)
        self.assertIn(says, error)

    def test_no_such_command(self):
        self.expect(127, "no-such-command-here", says="command not found")
        self.expect(127, self.path("missing"), says="No such file")
        self.expect(127, "")

    def test_not_to_be_run(self):
        self.expect(126, self.file("plain", "text"), says="Permission denied")
        self.expect(126, self.folder)

    def test_a_script_whose_interpreter_is_missing(self):
        self.expect(127, self.file("script", "#!/no/such/interpreter\n", 0o755))

    def test_an_interpreter_that_is_no_file_does_not_hang_us(self):
        os.mkfifo(self.path("fifo"), 0o755)
        self.expect(126, self.file("script", f"#!{self.path('fifo')}\n", 0o755))

    def test_usage(self):
        for arguments in (["run"], ["run", "--"], ["run", "-q"], ["run", "-l"],
                          ["run", "--log", "", "--", "true"], ["run", "--nonsense", "--", "true"],
                          ["nonsense"]):
            status, out, error = self.tool(*arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertOneLine(error)
        status, out, error = self.tool()
        self.assertEqual((status, out), (2, ""))
        self.assertIn("usage:", error)

    def test_help(self):
        for arguments in (["--help"], ["-h"], ["run", "--help"], ["report", "--help"]):
            status, out, error = self.tool(*arguments)
            self.assertEqual((status, error), (0, ""), arguments)
            self.assertIn("usage: tcpdiag", out)
            self.assertNarrow(out)


class Preload(Case):
    def preload(self, extra=None):
        _, out, _ = self.tool("run", "-q", "-l", self.log, "--", SH, "-c", "echo $LD_PRELOAD",
                              extra=extra)
        return out.rstrip("\n")

    @needs_preload
    def test_ours_is_the_one_beside_the_tool(self):
        self.assertTrue(self.preload().endswith("/shim/libtcpdiag.so"))
        self.assertTrue(self.preload({"TCPDIAG_LIBRARY": ""}).endswith("/shim/libtcpdiag.so"))
        self.assertTrue(self.preload({"LD_PRELOAD": ""}).endswith("/shim/libtcpdiag.so"))

    @needs_preload
    def test_ours_is_in_front_of_the_others(self):
        other = harmless_library()
        ours = self.preload()
        self.assertEqual(self.preload({"LD_PRELOAD": other}), f"{ours}:{other}")
        self.assertEqual(self.preload({"LD_PRELOAD": f"{other} {other}"}),
                         f"{ours}:{other}:{other}")

    @needs_preload
    def test_another_copy_of_ours_is_not_preloaded_beside_it(self):
        other = harmless_library()
        ours = self.preload()
        self.assertEqual(self.preload({"LD_PRELOAD": f"{other}:/usr/lib/libtcpdiag.so"}), f"{ours}:{other}")
        self.assertEqual(self.preload({"LD_PRELOAD": ours}), ours)

    def test_a_library_that_is_none(self):
        for value in (self.path("missing"), self.folder, self.file("text", "no library\n"),
                      self.file("with a space", b"\177ELF"), "/dev/null"):
            status, out, error = self.tool("run", "--", SH, "-c", "echo ran",
                                           extra={"TCPDIAG_LIBRARY": value})
            self.assertEqual((status, out), (125, ""), value)
            self.assertOneLine(error)

    def test_the_log_setting_is_absolute(self):
        _, out, _ = self.tool("run", "-q", "-l", "here.jsonl", "--", SH, "-c",
                              "cd / && echo $TCPDIAG_LOG")
        self.assertEqual(out.strip(), os.path.realpath(self.path("here.jsonl")))


def elf(wide=True, machine=None, segments=((1, b""),), data=1):
    """A file with the headers that say what it is; for this machine it exits with 0."""
    machine = machine or {"x86_64": 62, "aarch64": 183, "riscv64": 243}[os.uname().machine]
    code = b"\xb8\x3c\0\0\0\x31\xff\x0f\x05"  # x86-64: exit(0)
    base, size = 0x400000, 56 if wide else 32
    head = 64 if wide else 52
    at = head + size * len(segments)
    entry = base + at
    body, headers = code, b""
    for kind, content in segments:
        offset, length = (0, at + len(code)) if kind == 1 else (at + len(body), len(content))
        body += content if kind != 1 else b""
        if wide:
            headers += struct.pack("<IIQQQQQQ", kind, 5, offset, base + offset, base, length,
                                   length, 4096)
        else:
            headers += struct.pack("<IIIIIIII", kind, offset, base + offset, base, length, length,
                                   5, 4096)
    ident = b"\177ELF" + bytes([2 if wide else 1, data, 1]) + bytes(9)
    layout = "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH"
    return ident + struct.pack(layout, 2, machine, 1, entry, head, 0, 0, head, size,
                               len(segments), 64, 0, 0) + headers + body


GO_NOTE = struct.pack("<III", 4, 4, 4) + b"Go\0\0abcd"


class Sanitized(Case):
    """AddressSanitizer's runtime, a shared library with gcc, wants to be the first."""
    SOURCE = """
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
int main(int count, char **words)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    to.sin_port = htons(atoi(words[1]));
    char *heap = malloc(count);
    int status = connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof to) ? 7 : 0;
    if (count > 2)
        return heap[atoi(words[2])];
    free(heap);
    return status;
}
"""

    def setUp(self):
        super().setUp()
        bound, port = closed_port()
        self.port = str(port)
        self.addCleanup(bound.close)
        self.program = self.path("sanitized")
        made = subprocess.run(["gcc", "-fsanitize=address", "-o", self.program, "-x", "c",
                               self.file("source", self.SOURCE)], check=False, capture_output=True)
        if made.returncode != 0:
            self.skipTest("gcc has no AddressSanitizer here")

    def run_it(self, *arguments, **extra):
        return self.tool("run", "-q", "-l", self.log, "--", *arguments, extra=extra)

    @needs_preload
    def test_it_starts_and_is_seen(self):
        status, _, error = self.run_it(self.program, self.port)
        self.assertEqual((status, error), (7, ""))
        self.assertEqual([one["phase"] for one in self.records()], ["begin", "end"])
        self.assertEqual(self.records()[1]["cause"], "port-closed")

    @needs_preload
    def test_a_program_with_the_runtime_preloaded(self):
        """As for a plugin that is built so."""
        runtime = subprocess.check_output(["gcc", "-print-file-name=libasan.so"]).decode().strip()
        status, _, error = self.run_it(SH, "-c", "exit 4", LD_PRELOAD=os.path.realpath(runtime),
                                       ASAN_OPTIONS="detect_leaks=0")
        self.assertEqual((status, error), (4, ""))

    @needs_preload
    def test_its_errors_are_found_all_the_same(self):
        status, _, error = self.run_it(self.program, self.port, "64")
        self.assertEqual(status, 1)
        self.assertIn("heap-buffer-overflow", error)

    @needs_preload
    def test_what_the_user_has_said_stays(self):
        status, _, error = self.run_it(self.program, self.port, "64", ASAN_OPTIONS="exitcode=9")
        self.assertEqual(status, 9)
        status, _, error = self.run_it(self.program, self.port,
                                       ASAN_OPTIONS="verify_asan_link_order=1")
        self.assertEqual(status, 1)
        self.assertIn("does not come first", error)

    def test_other_programs_find_no_option(self):
        for extra in ({}, {"ASAN_OPTIONS": "a=b"}):
            _, out, _ = self.run_it(SH, "-c", 'echo "${ASAN_OPTIONS-unset}"', **extra)
            self.assertEqual(out.strip(), extra.get("ASAN_OPTIONS", "unset"))


class Warnings(Case):
    def warnings(self, *command):
        return self.tool("run", "-q", "-l", self.log, "--", *command)[2].splitlines()

    def expect(self, words, *command):
        lines = self.warnings(*command)
        self.assertTrue(any(words in line for line in lines), lines)
        return lines

    def test_an_ordinary_program_has_none(self):
        self.assertEqual(self.warnings(SH, "-c", ":"), [])
        self.assertEqual(self.warnings(self.file("script", f"#!{SH}\n:\n", 0o755)), [])

    def test_static(self):
        program = self.file("static", elf(), 0o755)
        self.assertEqual(len(self.expect("statically linked", program)), 1)
        if os.uname().machine == "x86_64":
            self.assertEqual(self.tool("run", "-q", "-l", self.log, "--", program)[0], 0)

    def test_go(self):
        program = self.file("go", elf(segments=((1, b""), (4, GO_NOTE))), 0o755)
        self.expect("Go program", program)
        self.expect("statically linked", program)

    def test_go_by_an_indirection(self):
        program = self.file("go", elf(segments=((1, b""), (4, GO_NOTE))), 0o755)
        link = self.path("link")
        os.symlink(program, link)
        self.expect("Go program", link)
        self.environment["PATH"] = self.folder + ":" + self.environment["PATH"]
        self.expect("Go program", "go")

    def test_another_architecture(self):
        # s390 and MIPS: for no such machine is there a library beside this one's.
        for content in (elf(machine=22), elf(wide=False, machine=8), elf(data=2)):
            self.expect("another architecture", self.file("other", content, 0o755))
            os.unlink(self.path("other"))

    def test_the_interpreter_of_a_script(self):
        program = self.file("static", elf(), 0o755)
        for line in (f"#!{program}", f"#! {program} -x", f"#!/usr/bin/env {program}"):
            script = self.file("script", line + "\n", 0o755)
            self.expect(f"{program} is statically linked", script)

    def test_an_interpreter_that_is_a_script(self):
        program = self.file("static", elf(), 0o755)
        between = self.file("between", f"#!{program}\n", 0o755)
        self.expect("statically linked", self.file("script", f"#!{between}\n", 0o755))

    def test_set_user_id(self):
        if os.geteuid() != 0:
            self.expect("set-user-ID", "/usr/bin/passwd", "--help")
            return
        program = self.file("su", elf(segments=((1, b""), (3, b"/lib64/ld.so\0"))), 0o755)
        try:
            os.chown(program, 65534, -1)
        except OSError as error:
            self.skipTest(f"no file can be given to another user here: {error}")
        os.chmod(program, 0o4755)
        self.assertEqual(len(self.expect("set-user-ID", program)), 1)

    def test_set_group_id(self):
        for program in ("/usr/bin/chage", "/usr/bin/expiry", "/usr/bin/ssh-agent"):
            if os.path.exists(program) and os.stat(program).st_mode & stat.S_ISGID:
                if os.stat(program).st_gid != os.getegid():
                    self.expect("set-group-ID", program, "--help")
                    return
        self.skipTest("no program of this machine is another group's")

    def test_a_file_that_may_be_run_but_not_read(self):
        program = self.file("secret", elf(), 0o755)
        os.chmod(program, 0o111)
        if os.access(program, os.R_OK):
            self.skipTest("root reads every file")
        self.expect("cannot be read", program)


class Log(Case):
    def expect_unwritable(self, log, words):
        status, _, error = self.tool("run", "-q", "-l", log, "--", SH, "-c", "exit 3")
        self.assertEqual(status, 3, log)
        self.assertOneLine(error)
        self.assertIn("nothing will be recorded", error)
        self.assertIn(words, error)

    def test_places_that_are_no_log(self):
        target = self.file("target", "")
        os.mkfifo(self.path("fifo"))
        os.symlink(target, self.path("link"))
        self.expect_unwritable(self.folder, "directory")
        self.expect_unwritable(self.path("fifo"), "FIFO")
        self.expect_unwritable(self.path("link"), "symbolic link")
        self.expect_unwritable("/dev/full", "not a regular file")
        self.expect_unwritable(self.path("missing/log"), "No such file")
        self.expect_unwritable(self.path("target/log"), "Not a directory")
        self.expect_unwritable("x" * 5000, "")
        self.assertEqual(os.path.getsize(target), 0)

    def test_a_socket(self):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(self.path("socket"))
        self.expect_unwritable(self.path("socket"), "not a regular file")

    def test_an_unwritable_folder(self):
        os.mkdir(self.path("closed"), 0o500)
        if os.access(self.path("closed"), os.W_OK):
            self.skipTest("root writes everywhere")
        self.expect_unwritable(self.path("closed/log"), "Permission denied")

    @needs_preload
    def test_a_folder_with_a_percent_sign(self):
        """%p in the name of the current folder is no pattern of the user's."""
        bound, port = closed_port()
        self.addCleanup(bound.close)
        os.mkdir(self.path("100%p%%"))
        process = self.start("bash", "-c", f"cd '100%p%%' && exec {TCPDIAG} run -l here-%e.jsonl "
                             f"-- bash -c '</dev/tcp/127.0.0.1/{port}'")
        _, error = process.communicate(timeout=60)
        self.assertIn(b"1 failed", error)
        self.assertEqual(os.listdir(self.path("100%p%%")), ["here-bash.jsonl"])

    def test_a_long_default_place(self):
        """The library takes a path of up to 1023 bytes."""
        state = "/".join([self.folder] + ["x" * 190] * 6)
        state = state[:1023 - len("/tcpdiag/tcpdiag.jsonl")]
        os.makedirs(state + "/tcpdiag")
        log = state + "/tcpdiag/tcpdiag.jsonl"
        self.assertEqual(len(log), 1023)
        line = self.file("line", record())
        _, _, error = self.tool("run", "--", SH, "-c", f"cat {line} > {log}",
                                extra={"XDG_STATE_HOME": state})
        self.assertTrue(error.startswith("tcpdiag: 1 attempt: 0 connected, 1 failed\n"), error)
        self.assertEqual(self.tool("report", extra={"XDG_STATE_HOME": state})[0], 1)
        # A longer one goes to the second default place, as the library's log does.
        _, _, error = self.tool("run", "-q", "--", SH, "-c", ":", extra={"XDG_STATE_HOME": state + "x"})
        self.assertEqual(error, "")

    @needs_preload
    def test_the_default_place_is_made(self):
        bound, port = closed_port()
        self.addCleanup(bound.close)
        status, _, error = self.tool("run", "--", PROBE, "-q", "127.0.0.1", str(port))
        self.assertEqual(status, 5, error)
        log = self.path(".local/state/tcpdiag/tcpdiag.jsonl")
        self.assertEqual(stat.S_IMODE(os.stat(log).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(log)).st_mode), 0o700)
        self.assertEqual(self.tool("report")[0], 1)


class Summary(Case):
    def setUp(self):
        super().setUp()
        bound, self.port = closed_port()
        self.addCleanup(bound.close)

    def refused(self, options=()):
        """A program that is refused, and ends with 1."""
        return self.summary("bash", "-c", f"</dev/tcp/127.0.0.1/{self.port}", options=options)

    def summary(self, *command, options=()):
        return self.tool("run", "-l", self.log, *options, "--", *command)

    @needs_preload
    def test_what_failed_is_said(self):
        status, _, error = self.refused()
        self.assertEqual(status, 1)
        self.assertIn("1 failed", error)
        self.assertIn("refused / port-closed", error)
        self.assertIn(f"127.0.0.1:{self.port}", error)
        self.assertIn("next:", error)

    @needs_preload
    def test_no_line_is_longer_than_80_columns(self):
        lines = [line for line in self.refused()[2].splitlines()
                 if not line.startswith("bash:")]
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertLessEqual(len(line), 80, line)
            self.assertTrue(line.startswith("tcpdiag: ") or line.startswith("  "), line)

    @needs_preload
    def test_quiet(self):
        self.assertNotIn("tcpdiag", self.refused(options=["-q"])[2])

    def test_nothing_to_say(self):
        self.assertEqual(self.summary(SH, "-c", ":")[2], "tcpdiag: no attempt was recorded\n")

    @needs_preload
    def test_a_program_killed_in_mid_connect(self):
        kept, port = silent_port()
        self.addCleanup(lambda: [one.close() for one in kept])
        status, _, error = self.summary("timeout", "1", "bash", "-c",
                                        f"exec </dev/tcp/127.0.0.1/{port}")
        self.assertEqual(status, 124)
        self.assertIn("timeout / gave-up-waiting", error)
        self.assertEqual([one["phase"] for one in self.records() if one["event"] == "connect"],
                         ["begin"])

    @needs_preload
    def test_what_the_log_held_before_is_not_counted(self):
        self.file("log.jsonl", record(server__address="old.example") * 3 + begin())
        _, _, error = self.refused()
        self.assertIn("1 failed", error)
        self.assertNotIn("old.example", error)

    def test_what_others_add_to_a_shared_log_is_counted(self):
        self.file("line", record(server__address="new.example"))
        self.file("log.jsonl", record(server__address="old.example"))
        _, _, error = self.summary(SH, "-c", f"cat line >> {self.log}")
        self.assertIn("1 failed", error)
        self.assertIn("new.example", error)
        self.assertNotIn("old.example", error)

    def test_a_log_that_is_rotated_meanwhile(self):
        self.file("line", record(server__address="new.example"))
        self.file("log.jsonl", record(server__address="old.example") * 20)
        _, _, error = self.summary(SH, "-c", f"mv {self.log} {self.log}.1; cat line > {self.log}")
        self.assertIn("1 failed", error)
        self.assertIn("new.example", error)

    def test_a_log_that_is_cut_meanwhile(self):
        self.file("line", record(server__address="new.example"))
        self.file("log.jsonl", record(server__address="old.example") * 20)
        _, _, error = self.summary(SH, "-c", f"cat line > {self.log}")
        self.assertIn("1 failed", error)
        self.assertIn("new.example", error)

    def test_a_log_that_is_removed_meanwhile(self):
        self.file("log.jsonl", record())
        status, _, error = self.summary(SH, "-c", f"rm {self.log}; exit 3")
        self.assertEqual((status, error), (3, "tcpdiag: no attempt was recorded\n"))

    def test_one_log_a_process(self):
        self.file("line", record())
        _, _, error = self.tool("run", "-l", self.path("log-%p-%e"), "--", SH, "-c",
                                "cat line > log-1-a; cat line line > log-2-b")
        self.assertIn("3 failed", error)

    def test_what_is_no_file_among_the_logs_is_passed_by(self):
        self.file("line", record())
        os.mkfifo(self.path("log-fifo"))
        os.symlink("/dev/zero", self.path("log-zero"))
        _, _, error = self.tool("run", "-l", self.path("log-%p"), "--", SH, "-c", "cat line > log-1",
                                limit=20)
        self.assertIn("1 failed", error)

    def test_a_program_whose_name_begins_with_a_dot(self):
        """Nix calls the program that a wrapper starts .NAME-wrapped."""
        self.file("line", record())
        os.mkdir(self.path("sub"))
        os.mkdir(self.path("sub/[*]?\\"))
        for pattern, log in (("%e.jsonl", ".x.jsonl"), (".%e", "..x"), ("%e", "...x"), ("sub/%e", "sub/.x"),
                             ("%e/.%e", "sub/.x"), ("sub/[*]?\\/a*%e", "sub/[*]?\\/a*b")):
            _, _, error = self.tool("run", "-l", self.path(pattern), "--", SH, "-c",
                                    "cat line > \"$0\"", log)
            self.assertIn("1 failed\n", error, pattern)
            os.unlink(self.path(log))

    def test_no_program_is_called_by_dots(self):
        """%e may be a folder's name; the folder itself, and the one above, are none."""
        os.mkdir(self.path("sub"))
        os.mkdir(self.path("sub/.app"))
        for folder in ("", "sub/", "sub/.app/"):
            self.file(folder + "log", record())
        _, out, error = self.tool("report", extra={"TCPDIAG_LOG": self.path("sub/%e/log")})
        self.assertEqual((out.splitlines()[0], error), ("1 attempt: 0 connected, 1 failed", ""))
        _, out, _ = self.tool("report", extra={"TCPDIAG_LOG": self.path("sub/../%e/log")})
        self.assertEqual(out.splitlines()[0], "1 attempt: 0 connected, 1 failed")

    def test_many_kinds_of_failure_are_cut_and_say_so(self):
        self.file("lines", b"".join(record(server__address=f"host-{n}") for n in range(9)))
        _, _, error = self.summary(SH, "-c", f"cat lines >> {self.log}")
        self.assertIn("9 failed", error)
        self.assertIn("4 more kinds of failure", error)
        self.assertIn(f"tcpdiag report {self.log}\n", error)

    def test_the_advice_to_report_can_be_pasted_into_a_shell(self):
        self.file("lines", b"".join(record(server__address=f"host-{n}") for n in range(9)))
        for name in ("plain", "a b", "a'b", "$(touch x)", "a\\b", "\x1b'\\", "b\u202e", "c\nd"):
            log = self.path(name + ".jsonl")
            _, _, error = self.tool("run", "-l", log.replace("%", "%%"), "--", SH, "-c",
                                    'cat lines >> "$0"', log)
            command = error.splitlines()[-1]
            self.assertTrue(command.startswith("  tcpdiag report "), error)
            self.assertTrue(all(ord(each) >= 32 and each != "\u202e" for each in command), command)
            word = subprocess.check_output(["bash", "-c", "printf %s " + command.split(None, 2)[2]])
            self.assertEqual(word.decode(), log)
        self.assertFalse(os.path.exists(self.path("x")))

    def test_a_name_from_the_network_cannot_write_to_the_terminal(self):
        self.file("line", record(server__address="a\x1b]0;title\x07\u009b31m\u202eb"))
        _, _, error = self.summary(SH, "-c", f"cat line >> {self.log}")
        for mark in "\x1b\x07\u009b\u202e":
            self.assertNotIn(mark, error)

    @needs_preload
    def test_records_to_standard_error(self):
        _, _, error = self.tool("run", "-l", "stderr", "--", PROBE, "-q", "127.0.0.1",
                                str(self.port))
        self.assertIn('"outcome":"refused"', error)


if SANITIZER:
    print("SKIPPED: scenes that preload the library: a sanitizer's cannot be preloaded")
main()
