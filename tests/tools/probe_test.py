#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcpdiag-probe against loopback, and its wrong usage."""
import json
import os
import pty
import signal
import sys

sys.path.insert(0, "tests/tools")
from tool import (Case, PROBE, closed_port, listening_port, main, silent_port)  # noqa: E402


class Outcomes(Case):
    def probe(self, *arguments, limit=60):
        return self.tool(*map(str, arguments), program=PROBE, limit=limit)

    def test_connected(self):
        server, port = listening_port()
        self.addCleanup(server.close)
        status, out, error = self.probe("127.0.0.1", port)
        self.assertEqual((status, error), (0, ""))
        self.assertIn("connected", out)

    def test_refused(self):
        bound, port = closed_port()
        self.addCleanup(bound.close)
        status, out, error = self.probe("127.0.0.1", port)
        self.assertEqual((status, error), (5, ""))
        self.assertIn("refused", out)
        self.assertIn("next:", out)
        self.assertNotIn("next:", self.probe("-q", "127.0.0.1", port)[1])

    def test_timeout(self):
        kept, port = silent_port()
        self.addCleanup(lambda: [one.close() for one in kept])
        status, out, error = self.probe("-w", "0.3", "127.0.0.1", port)
        self.assertEqual((status, error), (6, ""), out)
        self.assertIn("timeout", out)

    def test_dns(self):
        # RFC 6761: the root knows that .invalid has no names; where no server answers, it is
        # "dns" as well.
        status, out, _ = self.probe("no-such-name.invalid", 80, limit=120)
        self.assertEqual(status, 3, out)
        self.assertIn("dns", out)

    def test_records(self):
        bound, port = closed_port()
        self.addCleanup(bound.close)
        status, out, error = self.probe("--json", "127.0.0.1", port)
        self.assertEqual((status, error), (5, ""))
        records = [json.loads(line) for line in out.splitlines()]
        connect = [one for one in records if one["event"] == "connect"]
        self.assertEqual(len(connect), 1)
        self.assertEqual(connect[0]["outcome"], "refused")
        self.assertEqual(connect[0]["network.peer.port"], port)

    def test_the_habits_of_nc(self):
        server, port = listening_port()
        self.addCleanup(server.close)
        self.assertEqual(self.probe("-z", "-v", "-w5", "127.0.0.1", port)[0], 0)
        self.assertEqual(self.probe("-zvw", "5", "127.0.0.1", port)[0], 0)

    def test_under_the_name_of_the_tool(self):
        bound, port = closed_port()
        self.addCleanup(bound.close)
        status, out, _ = self.tool("probe", "127.0.0.1", str(port))
        self.assertEqual(status, 5)
        self.assertIn("refused", out)


class Terminal(Case):
    def test_a_terminal_that_hangs_up(self):
        """With SIGHUP ignored (nohup) the prober goes on until it cannot write."""
        bound, port = closed_port()
        self.addCleanup(bound.close)
        master, slave = pty.openpty()
        process = self.start(PROBE, "-n", "0", "-i", "0.05", "127.0.0.1", str(port), stdin=slave,
                             stdout=slave, stderr=slave,
                             env={**self.environment, "TERM": "xterm"},
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        os.close(slave)
        seen = b""
        while b"connected" not in seen:  # it draws
            seen += os.read(master, 65536)
        os.close(master)
        self.assertEqual(process.wait(timeout=60), 2)


class WrongUsage(Case):
    def test_one_line_and_status_2(self):
        for arguments in ([], ["--nonsense"], ["127.0.0.1"], ["", "80"], ["127.0.0.1", "0"],
                          ["127.0.0.1", "65536"], ["127.0.0.1", "no-such-service"],
                          ["127.0.0.1", ""], ["127.0.0.1", "99999999999999999999"],
                          ["-w", "0", "127.0.0.1", "80"], ["-w", "nan", "127.0.0.1", "80"],
                          ["-w", "-1", "127.0.0.1", "80"], ["-w", "1e3", "127.0.0.1", "80"],
                          ["-w", "", "127.0.0.1", "80"], ["a" * 300, "80"]):
            status, out, error = self.tool(*arguments, program=PROBE)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertOneLine(error)

    def test_help_fits_a_screen(self):
        status, out, error = self.tool("--help", program=PROBE)
        self.assertEqual((status, error), (0, ""))
        self.assertNarrow(out)
        self.assertLessEqual(out.count("\n"), 40)


main()
