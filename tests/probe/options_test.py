#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each option and each way to write a target, once, on loopback."""
import csv
import io
import json
import os
import re
import signal
import socket
import sys
import unittest

sys.path[:0] = ["tests/tools", "tests/probe"]
from prober import ProberCase  # noqa: E402
from tool import closed_port, listening_port, main, silent_port  # noqa: E402


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class OnLoopback(ProberCase):
    def setUp(self):
        super().setUp()
        self.server, self.open = listening_port()
        self.addCleanup(self.server.close)
        bound, self.closed = closed_port()
        self.addCleanup(bound.close)

    def silent(self):
        kept, port = silent_port()
        self.addCleanup(lambda: [one.close() for one in kept])
        return port

    def words(self, *arguments, status=0, **more):
        """The first two columns of each line."""
        got, out, error = self.probe("-q", *arguments, **more)
        self.assertEqual((got, error), (status, ""), out)
        return [tuple(line.split()[:2]) for line in out.splitlines()]


class Targets(OnLoopback):
    def test_each_way_to_write_one(self):
        connected = [(f"127.0.0.1:{self.open}", "connected")]
        for words in (["127.0.0.1", self.open], [f"127.0.0.1:{self.open}"],
                      [f"tcp://127.0.0.1:{self.open}"], [f"http://u@127.0.0.1:{self.open}/a?b#c"],
                      [f"https://127.0.0.1:{self.open}"], [f"127.0.0.1/32:{self.open}"],
                      ["127.0.0.1", f"{self.open}-{self.open}"]):
            self.assertEqual(self.words(*words), connected, words)

    def test_a_name(self):
        status, out, error = self.probe("-4", "localhost", self.open)
        self.assertEqual((status, error), (0, ""))
        self.assertIn(f"localhost:{self.open} [127.0.0.1] ", out)
        self.assertIn("name ", out)

    def test_default_ports_and_services(self):
        self.assertEqual([target for target, _ in self.words(
            "--ordered", "http://127.0.0.2", "https://127.0.0.2", "127.0.0.2", "http", "https",
            status=5)], ["127.0.0.2:80", "127.0.0.2:443", "127.0.0.2:80", "127.0.0.2:443"])

    def test_lists_ranges_and_several(self):
        self.assertEqual(self.words("--ordered", "127.0.0.2", "1-3,5", 7, f"127.0.0.1:{self.open}",
                                    status=10),
                         [(f"127.0.0.2:{port}", "refused") for port in (1, 2, 3, 5, 7)]
                         + [(f"127.0.0.1:{self.open}", "connected")])

    def test_block(self):
        self.assertEqual(self.words("--ordered", "127.3.0.5/29", 1, status=5),
                         [(f"127.3.0.{i}:1", "refused") for i in range(8)])

    def test_file_and_standard_input(self):
        text = f"# targets\n\n127.0.0.1 {self.open} # the first\r\n127.0.0.1:{self.closed}\n127.0.0.2 1 3"
        want = [(f"127.0.0.1:{self.open}", "connected"), (f"127.0.0.1:{self.closed}", "refused"),
                ("127.0.0.2:1", "refused"), ("127.0.0.2:3", "refused")]
        self.assertEqual(self.words("--ordered", "-f", self.file("targets", text), status=10), want)
        self.assertEqual(self.words("--ordered", "--file", "-", status=10, input=text.encode()), want)

    def test_results_come_before_standard_input_ends(self):
        ours, theirs = os.pipe()
        process = self.begin("-q", "-f", "-", stdin=ours)
        os.close(ours)
        os.write(theirs, f"127.0.0.1 {self.open}\n".encode())
        self.assertIn(b"connected", process.stdout.readline())
        os.write(theirs, f"127.0.0.1 {self.closed}\n".encode())
        self.assertIn(b"refused", process.stdout.readline())
        os.close(theirs)
        self.assertEqual(process.wait(timeout=60), 10)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6 loopback")
    def test_ipv6(self):
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        for words in (["::1", port], [f"[::1]:{port}"], ["-6", "::1", port], [f"http://[::1]:{port}"]):
            self.assertEqual(self.words(*words), [(f"[::1]:{port}", "connected")])


class Options(OnLoopback):
    def test_families(self):
        self.assertEqual(len(self.words("-4", "localhost", self.open)), 1)
        self.assertEqual(self.probe("-6", "127.0.0.1", self.open)[0], 2)

    def test_time_limit(self):
        port = self.silent()
        for option in (["-w", "0.2"], ["-w.2"], ["--timeout=0.2"]):
            status, out, _ = self.probe("--no-control", "--csv", *option, "127.0.0.1", port)
            row = next(csv.DictReader(io.StringIO(out)))
            self.assertEqual((status, row["outcome"], row["cause"]), (6, "timeout", "gave-up-waiting"))
            self.assertTrue(200 <= float(row["duration_ms"]) < 5000, row)

    def test_control(self):
        status, out, error = self.probe("-w", "0.2", "127.0.0.1", self.silent())
        self.assertEqual((status, error), (6, ""))
        self.assertIn("port-filtered", out)
        self.assertIn("seen: the host is alive", out)
        self.assertNotIn("seen:", self.probe("--no-control", "-w", "0.2", "127.0.0.1",
                                             self.silent())[1])

    def test_ncs_habit(self):
        self.assertEqual(self.words("-z", "-v", "-w5", "127.0.0.1", self.open),
                         [(f"127.0.0.1:{self.open}", "connected")])
        self.assertEqual(self.probe("-zvw5", "127.0.0.1", self.open)[0], 0)

    def test_source(self):
        self.server.settimeout(60)
        self.words("-s", "127.0.0.9", "-I", "lo", "127.0.0.1", self.open)
        self.assertEqual(self.server.accept()[1][0], "127.0.0.9")
        spare, port = closed_port()
        spare.close()
        self.words("--source=127.0.0.8", "--interface=lo", f"--source-port={port}", "127.0.0.1",
                   self.open)
        self.assertEqual(self.server.accept()[1], ("127.0.0.8", port))

    def test_jobs(self):
        self.assertEqual(self.words("-j", 1, "127.0.0.2", "1-20", status=5),
                         [(f"127.0.0.2:{port}", "refused") for port in range(1, 21)])
        self.assertEqual(len(self.words("--jobs=7", "127.0.0.2", "1-20", status=5)), 20)

    def test_an_output_that_fails_ends_what_is_under_way(self):
        with open("/dev/full", "wb") as full:
            process = self.begin("-q", "--no-control", "-w", 600, "127.0.0.1", self.closed,
                                 self.silent(), stdout=full)
            _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 2)
        self.assertOneLine(error.decode())

    def test_the_cursor_comes_back_after_too_many_destinations(self):
        process, terminal = self.on_terminal("-n", 2, "127.0.0.0/20", 1)
        shown = self.read_terminal(terminal)
        self.assertEqual(process.wait(), 2)
        self.assertGreater(shown.rfind("\033[?25h"), shown.rfind("\033[?25l"))

    def test_ordered(self):
        silent = self.silent()
        arguments = ["--no-control", "-w", "0.3", "127.0.0.1", silent, self.open]
        self.assertEqual([word for _, word in self.words(*arguments, status=10)],
                         ["connected", "timeout"])
        self.assertEqual([word for _, word in self.words("--ordered", *arguments, status=10)],
                         ["timeout", "connected"])

    def test_json(self):
        status, out, error = self.probe("--json", "-4", "localhost", self.closed, self.open)
        self.assertEqual((status, error), (10, ""))
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([r["event"] for r in records], ["resolve", "connect", "connect"])
        self.assertEqual({r["outcome"] for r in records}, {"resolved", "refused", "connected"})
        self.assertEqual(len({r["attempt"] for r in records}), 3)
        self.assertEqual({r["server.address"] for r in records}, {"localhost"})

    def test_json_tells_why_a_name_does_not_resolve(self):
        name = "a" * 64 + ".test"  # a label has at most 63 bytes: no server is asked
        records, answers = self.records_and_answers(self.probe("--json", name, 1)[1])
        self.assertEqual([record["outcome"] for record in records], ["dns"])
        self.assertEqual([(one["dns"]["server.address"], one["dns"]["why"]) for one in answers],
                         [(name, "bad-name")])
        self.assertEqual(self.records_and_answers(self.probe("--json", "-q", name, 1)[1])[1], [])

    def test_csv(self):
        status, out, error = self.probe("--csv", "-4", "localhost", self.closed)
        self.assertEqual((status, error), (5, ""))
        rows = list(csv.DictReader(io.StringIO(out), strict=True))
        self.assertEqual(len(rows), 1)
        self.assertEqual((rows[0]["host"], rows[0]["address"], rows[0]["port"], rows[0]["error"]),
                         ("localhost", "127.0.0.1", str(self.closed), "ECONNREFUSED"))
        self.assertGreater(float(rows[0]["name_ms"]), 0)
        self.assertNotIn(None, rows[0])

    def test_quiet_and_explanations(self):
        status, out, _ = self.probe("127.0.0.2", "1-9")
        self.assertEqual((status, out.count("why:"), out.count("next:")), (5, 1, 1))
        self.assertNarrow(out)
        self.assertEqual(self.probe("--quiet", "127.0.0.2", "1-9")[1].count("\n"), 9)

    def test_trace(self):
        status, out, _ = self.probe("--trace", "127.0.0.1", self.closed)
        self.assertEqual(status, 5)
        self.assertRegex(out, r"\n +1  127\.0\.0\.1 .* reset\n")
        for quiet in ([], ["-q"]):
            out = self.probe("--trace", "--json", *quiet, "127.0.0.1", self.closed)[1]
            records, answers = self.records_and_answers(out)
            self.assertEqual(len(records), 1)
            self.assertEqual(answers[0]["trace"]["end"]["hop"], 1)

    def test_mark_is_refused_or_done(self):
        status, out, error = self.probe("--mark", "0x10", "127.0.0.1", self.open)
        if status == 2:
            self.assertOneLine(error)
            self.assertIn("CAP_NET_ADMIN", error)
        else:
            self.assertEqual((status, error), (0, ""), out)

    def test_version(self):
        for option in ("-V", "--version"):
            status, out, error = self.probe(option)
            self.assertEqual((status, error), (0, ""))
            self.assertRegex(out, r"^tcpdiag-probe \d+\.\d+\.\d+\n$")

    def test_help_fits_a_screen(self):
        status, out, error = self.probe("--help")
        self.assertEqual((status, error), (0, ""))
        self.assertLessEqual(out.count("\n"), 24)
        self.assertNarrow(out)

    def test_exit_status_of_a_name_with_two_addresses(self):
        # One address that connects is enough for a client, and so for the target.
        if not has_ipv6():
            self.skipTest("this machine has no IPv6 loopback")
        status, out, _ = self.probe("-q", "--ordered", "localhost", self.open)
        self.assertEqual(status, 0)
        self.assertIn("[127.0.0.1]", out)


class Repetition(OnLoopback):
    def test_count_and_summary(self):
        for options in (["-n", 5, "-i", 0], ["--count=5", "--interval=0.01"]):
            status, out, error = self.probe(*options, "127.0.0.1", self.open)
            self.assertEqual((status, error), (0, ""))
            self.assertEqual(out.count("connected "), 5, out)
            self.assertIn("5/5 connected, 100.0 %", out)
            self.assertRegex(out, r"min .*median .*p95 .*p99 .*max .*jitter ")

    def test_failures_are_counted(self):
        status, out, _ = self.probe("-n", 3, "-i", 0, "127.0.0.1", self.closed, self.open)
        self.assertEqual(status, 10)
        self.assertIn("0/3 connected, 0.0 %; last failure refused / port-closed", out)

    def test_until_interrupted(self):
        process = self.begin("-n", 0, "-i", 0.01, "127.0.0.1", self.open)
        for _ in range(5):
            self.assertIn(b"connected", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
        self.assertEqual((process.returncode, error), (0, b""))
        self.assertRegex(out.decode(), r"(\d+)/\1 connected, 100.0 %")

    def test_wait(self):
        late = socket.socket()
        self.addCleanup(late.close)
        late.bind(("127.0.0.1", 0))
        process = self.begin("-q", "--wait", "-i", "0.01", "127.0.0.1", late.getsockname()[1])
        self.handles_interrupts(process)
        late.listen()
        out, error = process.communicate(timeout=60)
        self.assertEqual((process.returncode, error), (0, b""))
        self.assertEqual(out.count(b"\n"), 1)
        self.assertIn(b"connected", out)

    def test_wait_in_vain(self):
        status, out, _ = self.probe("-q", "--wait=0.3", "127.0.0.1", self.closed)
        self.assertEqual((status, out.count("\n")), (5, 1))
        status, out, _ = self.probe("-q", "--wait=0.3", "-w", 20, "127.0.0.1", self.silent())
        self.assertEqual((status, out.count("\n")), (6, 1))

    def test_wait_closed(self):
        process = self.begin("--wait-closed", "-i", "0.01", "127.0.0.1", self.open)
        self.server.settimeout(60)
        self.server.accept()[0].close()
        self.server.close()
        out, error = process.communicate(timeout=60)
        self.assertEqual((process.returncode, error), (0, b""))
        self.assertIn(b"refused", out)
        self.assertNotIn(b"next:", out)

    def test_wait_closed_in_vain(self):
        status, out, _ = self.probe("-q", "--wait-closed=0.2", "127.0.0.1", self.open)
        self.assertEqual((status, out.count("connected")), (6, 1))


class Terminal(OnLoopback):
    def test_colours_only_there(self):
        process, terminal = self.on_terminal("127.0.0.1", self.open)
        self.assertIn("\033[32mconnected\033[0m", self.read_terminal(terminal))
        self.assertEqual(process.wait(), 0)
        process, terminal = self.on_terminal("127.0.0.1", self.open, extra={"NO_COLOR": "1"})
        self.assertNotIn("\033[3", self.read_terminal(terminal))
        self.assertNotIn("\033", self.probe("127.0.0.1", self.open)[1])

    def test_lines_fit(self):
        for target in ((f"localhost:{self.closed}",), ("2001:db8:1111:2222:3333:4444:5555:6666", 65000)):
            arguments = ["-q", "--no-control", "-w", 0.2, *target]
            whole = self.probe(*arguments)[1].splitlines()
            self.assertGreater(max(map(len, whole)), 80)
            process, terminal = self.on_terminal(*arguments)
            shown = re.sub(r"\033\[[\d;]*m", "", self.read_terminal(terminal)).splitlines()
            process.wait()
            self.assertLessEqual(max(map(len, shown)), 80, shown)
            words = [re.sub(r"[\d.]+ ms", "N ms", " ".join(lines)).split() for lines in (whole, shown)]
            self.assertEqual(*words)

    def test_bar_only_there(self):
        arguments = ["--no-control", "-w", 1, "127.0.0.1", self.silent(), self.open]
        process, terminal = self.on_terminal(*arguments)
        shown = self.read_terminal(terminal)
        self.assertRegex(shown, r"\r\[#+\.+\] 1/2  50% ")
        self.assertRegex(shown, r"2 tried in [\d.]+ s .*1 connected")
        self.assertEqual(process.wait(), 10)
        self.assertEqual(self.probe(*arguments)[2], "")

    def test_live_statistics_are_drawn_over_the_last_ones(self):
        process, terminal = self.on_terminal("-4", "-n", 30, "-i", 0.02, "localhost", self.closed, self.open)
        shown = self.read_terminal(terminal).replace("\r\n", "\n")
        self.assertEqual(process.wait(), 10)
        self.assertIn("last failure refused / port-closed", shown)
        before, *frames = re.split(r"\r\033\[(\d+)A\033\[J", shown)
        self.assertIn("\033[?25l", before)
        self.assertTrue(frames)
        drawn = before.partition("\033[?25l")[2]
        for up, following in zip(frames[::2], frames[1::2]):
            self.assertEqual(drawn.count("\n"), int(up))
            self.assertLessEqual(max(map(len, drawn.splitlines())), 80, drawn)
            drawn = following

    def test_live_statistics_and_the_cursor(self):
        process, terminal = self.on_terminal("-n", 0, "-i", 0.01, "127.0.0.1", self.open)
        shown = self.read_terminal(terminal, until=b"median")
        self.assertIn("\033[?25l", shown)
        process.send_signal(signal.SIGINT)
        shown = self.read_terminal(terminal)
        self.assertIn("\033[?25h", shown)
        self.assertRegex(shown, r"connected, 100.0 %")
        self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
    main()
