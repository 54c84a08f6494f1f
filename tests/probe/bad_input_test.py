#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is wrong with the words, the files and the world around: one clear line, the right status."""
import fcntl
import os
import select
import signal
import sys
import termios

sys.path[:0] = ["tests/tools", "tests/probe"]
from prober import ProberCase  # noqa: E402
from tool import PROBE, closed_port, listening_port, main, silent_port  # noqa: E402


class Words(ProberCase):
    def refused(self, *arguments, why):
        status, out, error = self.probe(*arguments)
        self.assertEqual((status, out), (2, ""), error)
        self.assertOneLine(error)
        self.assertIn(why, error)
        self.assertTrue(error.startswith("tcpdiag-probe: "), error)

    def test_targets(self):
        for arguments, why in (
                ([], "wants a HOST and a PORT"), (["", 80], "the host is empty"),
                (["a"], "a: which port?"), (["a" * 254, 80], "254 bytes"),
                (["a", 0], "between 1 and 65535"), (["a", 65536], "between 1 and 65535"),
                (["a", "nosuch"], "neither a port nor"), (["a", ""], "the port is empty"),
                (["a", "9-1"], "backwards"), (["0.0.0.0/0", 80], "2^32"), (["::/0", 80], "2^128"),
                (["10.0.0.0/15", 80], "2^17"), (["ftp://a"], "tcp, http and https"),
                (["a b", 80], "not the name"), (["a\x1b[31m", 80], "\\x1b[31m"),
                (["127.0.0.1", 80, "[::1"], "not closed"), (["-4", "::1", 80], "not an IPv4"),
                (["-6", "127.0.0.1", 80], "not an IPv6")):
            self.refused(*arguments, why=why)

    def test_options(self):
        for arguments, why in (
                (["-w", "0"], "-w 0: "), (["-w", "x"], "-w x: "), (["-w", "-1"], "-w -1: "),
                (["-w", "nan"], "-w nan: "), (["-w", "1e3"], "-w 1e3: "), (["-w", ""], "-w : "),
                (["-n", "-1"], "-n -1: "), (["-n", "99999999999999999999"], "-n 9999"),
                (["-i", "x"], "-i x: "), (["-j", "0"], "-j 0: "), (["-p", "0"], "-p 0: "),
                (["-p", "65536"], "-p 65536: "), (["-s", "nowhere"], "not an address"),
                (["-s", "10.0.0.0/24"], "not an address"), (["-s", "192.0.2.1"], "192.0.2.1"),
                (["-I", "nosuch0"], "-I nosuch0: "), (["--mark", "x"], "--mark x: "),
                (["--mark", "4294967296"], "--mark 4294967296"), (["--wait=x"], "--wait x: "),
                (["--wait", "--wait-closed"], "only one"), (["-n2", "--wait"], "only one"),
                (["-4", "-6"], "no address"), (["-s", "127.0.0.1", "-6"], "no address"),
                (["--trace", "--wait"], "--trace"), (["--nosuch"], "nosuch"), (["-Q"], "Q"),
                (["-w"], "w"), (["--wait", "-f", "-"], "standard input")):
            self.refused(*arguments, *(() if arguments == ["-w"] else ("127.0.0.1", 1)), why=why)

    def test_files(self):
        self.refused("-f", self.path("missing"), why="missing: No such file")
        status, out, error = self.probe("-f", self.folder)
        self.assertEqual((status, out), (2, ""))
        self.assertIn("Is a directory", error)
        self.assertEqual(self.probe("-f", self.file("empty", ""))[:2], (0, ""))
        self.refused(*(["-f", "-"] * 17), why="more than 16 files")


class Files(ProberCase):
    def test_ten_bad_lines_among_ten_thousand(self):
        bound, port = closed_port()
        self.addCleanup(bound.close)
        lines = [f"127.0.0.1 {port}"] * 10000
        bad = {17: "127.0.0.1", 500: "127.0.0.1 0", 999: ":80", 1000: "a:65536", 2000: "x" * 5000,
               3000: "10.0.0.0/8 80", 4000: "a b c", 5000: "127.0.0.1:1 127.0.0.1:2",
               9999: "a\0b 80", 10000: "caf\xe9 80"}
        for number, line in bad.items():
            lines[number - 1] = line
        path = self.file("targets", "\n".join(lines).encode("latin-1"))
        for order in ([], ["--ordered"]):
            status, out, error = self.probe("-q", *order, "-f", path)
            self.assertEqual(status, 2)
            self.assertEqual(out.count("refused"), 9990)
            self.assertEqual([int(line.split(":")[2]) for line in error.splitlines()], sorted(bad))
            for line in error.splitlines():
                self.assertTrue(line.startswith(f"tcpdiag-probe: {path}:"), line)
                self.assertTrue(line.isprintable(), line)

    def test_binary(self):
        status, _, error = self.probe("-f", self.file("binary", bytes(range(256)) * 400))
        self.assertEqual(status, 2)
        self.assertTrue(error.isascii())
        self.assertFalse(any(ord(c) < 32 and c != "\n" for c in error))

    def test_closed_standard_input(self):
        status, _, error = self.tool("-c", f"exec {PROBE} -f - <&-", program="/bin/sh")
        self.assertEqual(status, 2)
        self.assertOneLine(error)
        self.assertIn("standard input", error)

    def test_closed_standard_output(self):
        status, _, error = self.tool("-c", f"exec {PROBE} -n 2 -i 0 127.0.0.2 1 >&-",
                                     program="/bin/sh")
        self.assertEqual(status, 2)
        self.assertOneLine(error)
        self.assertIn("standard output", error)


class Output(ProberCase):
    def test_reader_goes_away(self):
        process = self.begin("-q", "127.0.0.2", "1-30000")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), -signal.SIGPIPE)
        self.assertEqual(process.stderr.read(), b"")

    def test_reader_goes_away_and_the_signal_is_ignored(self):
        process = self.begin("-q", "127.0.0.2", "1-30000", restore_signals=False,
                             preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), 2)
        self.assertOneLine(process.stderr.read().decode())

    def test_full_disk(self):
        for arguments in (["127.0.0.2", 1], ["-n", 2, "-i", 0, "127.0.0.2", 1], ["--help"],
                          ["--wait=0.1", "127.0.0.2", 1], ["--json", "127.0.0.2", "1-3000"]):
            with open("/dev/full", "wb") as full:
                process = self.begin(*arguments, stdout=full)
                self.assertEqual(process.wait(timeout=60), 2, arguments)
                if arguments != ["--help"]:
                    self.assertOneLine(process.stderr.read().decode())


class Interrupts(ProberCase):
    def interrupt(self, process, number=signal.SIGINT, said=True):
        process.send_signal(number)
        out, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -number)
        if said:
            self.assertOneLine(error.decode())
            self.assertIn(b"interrupted", error)
        return out

    def silent(self):
        kept, port = silent_port()
        self.addCleanup(lambda: [one.close() for one in kept])
        return port

    def test_while_it_connects(self):
        server, opened = listening_port()
        self.addCleanup(server.close)
        port = self.silent()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.begin("-w", 60, "127.0.0.1", opened, port)
            self.handles_interrupts(process)
            self.has_syn_sent(process, port)
            # What has a result keeps it.
            self.assertIn(b"connected", self.interrupt(process, number))

    def test_with_the_order_kept(self):
        port = self.silent()
        process = self.begin("--ordered", "-w", 60, "127.0.0.1", port, "1-3000")
        self.handles_interrupts(process)
        self.has_syn_sent(process, port)
        self.interrupt(process)

    def test_while_it_asks_elsewhere(self):
        port = self.silent()
        process = self.begin("-w", 0.3, "127.0.0.1", port, "--trace")
        self.handles_interrupts(process)
        self.has_syn_sent(process, port)
        self.interrupt(process)

    def test_while_it_reads_targets(self):
        ours, theirs = os.pipe()
        self.addCleanup(os.close, theirs)
        process = self.begin("-f", "-", stdin=ours)
        os.close(ours)
        self.handles_interrupts(process)
        self.interrupt(process)

    def test_while_it_waits(self):
        bound, port = closed_port()
        self.addCleanup(bound.close)
        for options in (["--wait"], ["--wait", "-i", 600]):
            process = self.begin(*options, "127.0.0.1", port)
            self.handles_interrupts(process)
            self.interrupt(process)

    def test_before_the_first_of_many(self):
        port = self.silent()
        process = self.begin("-n", 0, "-w", 60, "127.0.0.1", port)
        self.handles_interrupts(process)
        self.has_syn_sent(process, port)
        self.interrupt(process)

    def test_while_its_reader_sleeps(self):
        process = self.begin("-q", "127.0.0.2", "1-30000")
        process.stdout.read(1)  # it writes, and nobody reads on: the pipe fills
        self.fills(process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT)

    def test_between_two_writes(self):
        # Small pieces: the signal comes when one has gone, and the next finds no room.
        ours, theirs = os.pipe()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        fcntl.fcntl(theirs, 1031, 4096)  # F_SETPIPE_SZ
        process = self.begin("-q", "127.0.0.2", "1-30000", stdout=theirs)
        while select.select([], [theirs], [], 0)[1]:
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT)

    def fills(self, process):
        """Returns once the pipe to us takes no more."""
        size = fcntl.fcntl(process.stdout, 1032)  # F_GETPIPE_SZ
        count = bytearray(4)
        while int.from_bytes(count, sys.byteorder) < size - 8192:
            fcntl.ioctl(process.stdout, termios.FIONREAD, count)
            self.assertIsNone(process.poll())

    def test_ignored_interrupts_stay_ignored(self):
        port = self.silent()
        process = self.begin("--no-control", "-w", 0.5, "127.0.0.1", port, restore_signals=False,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        self.has_syn_sent(process, port)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 6)

    def test_terminal_is_whole_afterwards(self):
        process, terminal = self.on_terminal("-w", 60, "127.0.0.1", self.silent(), "1-9")
        self.read_terminal(terminal, until=b" 90%")
        process.send_signal(signal.SIGINT)
        shown = self.read_terminal(terminal)
        self.assertEqual(process.wait(), -signal.SIGINT)
        self.assertIn("\r\x1b[K", shown)
        self.assertIn("interrupted: 9 done, 1 under way", shown)


if __name__ == "__main__":
    main()
