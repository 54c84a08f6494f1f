#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is a record passes; each way of being none is stopped."""
import copy
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, "tests/schema")
import validate  # noqa: E402

WHO = {"process.pid": 7, "thread.id": 8, "process.executable.name": "curl", "host.name": "h",
       "tcpdiag.version": "0.2.0", "message": "a sentence"}
PEER = {"network.peer.address": "10.0.2.2", "network.peer.port": 80, "network.type": "ipv4", "network.transport": "tcp"}
BEGIN = {"time": "2025-11-24T09:30:00.123456Z", "event": "connect", "phase": "begin", "attempt": "18eb4fa1f4c6bb64-1",
         **PEER, "blocking": False, **WHO}
END = {**BEGIN, "phase": "end", "outcome": "refused", "cause": "firewall-reject", "errno": "ECONNREFUSED",
       "duration_ms": 0.5, "server.address": "db",
       "evidence": {"icmp.type": 3, "icmp.code": 3, "icmp.from": "10.0.2.1", "syn_retransmits": 0}}
CONNECTED = {**BEGIN, "phase": "end", "outcome": "connected", "duration_ms": 3, "evidence": {"rtt_ms": 0.1}}
RESOLVE = {**{k: v for k, v in BEGIN.items() if k not in PEER and k != "blocking"},
           "event": "resolve", "phase": "end", "outcome": "resolved", "duration_ms": 1, "service": "80",
           "server.address": "db", "dns.answers": ["10.0.2.2", "fe80::1%2"]}
DNS = {k: v for k, v in {**RESOLVE, "outcome": "dns", "cause": "server-failed", "gai": "EAI_AGAIN"}.items()
       if k != "dns.answers"}
GONE = object()


def line(record):
    return json.dumps(record).encode() + b"\n"


class Lines(unittest.TestCase):
    def test_records_pass(self):
        for record in (BEGIN, END, CONNECTED, RESOLVE, DNS, {**END, "lost": 3}):
            self.assertEqual(validate.problems_of_line(line(record)), [], record)

    def test_one_wrong_field_is_stopped(self):
        for record, changes in (
                (BEGIN, {"time": GONE, "event": "accept", "phase": "middle", "attempt": "1", "outcome": "refused",
                         "cause": "no-answer", "errno": "EIO", "duration_ms": 1, "evidence": {"rtt_ms": 1},
                         "network.peer.address": GONE, "network.peer.port": 65536, "network.type": "ipx",
                         "network.transport": GONE, "service": "80", "process.pid": "7", "thread.id": 0,
                         "message": GONE, "lost": 0, "blocking": "no", "surprise": 1, "tcpdiag.version": GONE}),
                (END, {"outcome": GONE, "cause": "port-shut", "errno": "refused", "duration_ms": GONE, "gai": "EAI_AGAIN",
                       "network.transport": "udp", "evidence": {}, "dns.answers": ["10.0.2.2"],
                       "time": "2025-13-24T09:30:00.123456Z"}),
                (END, {"duration_ms": -1, "cause": "no-answer", "outcome": "dns", "time": "2025-11-24T09:30:00Z",
                       "evidence": {"icmp.type": 3, "icmp.code": 3}, "h_errno": "TRY_AGAIN"}),
                (END, {"evidence": {"icmp.from": "10.0.2.1"}, "network.peer.address": "db.staging"}),
                (END, {"evidence": {"hops": 3}, "tcpdiag.version": "new"}),
                (CONNECTED, {"errno": "EIO", "cause": "port-closed", "outcome": "resolved"}),
                (RESOLVE, {"outcome": "refused", "gai": "EAI_AGAIN", "dns.answers": [], "evidence": {"rtt_ms": 1},
                           "blocking": True, "network.transport": "tcp"}),
                (DNS, {"errno": "EIO", "h_errno": "TRY_AGAIN", "dns.answers": ["10.0.2.2"], "gai": "AGAIN",
                       "cause": "port-closed"})):
            for key, value in changes.items():
                bad = copy.deepcopy(record)
                bad[key] = value
                if value is GONE:
                    del bad[key]
                self.assertNotEqual(validate.problems_of_line(line(bad)), [], (key, value))

    def test_bytes(self):
        for bad in (b"", b"\n", b"{}\n", b"[]\n", line(BEGIN)[:-1], line(BEGIN)[:-3] + b"\n", line(BEGIN) + b"\n",
                    line(BEGIN).replace(b'"curl"', b'"\xff"'), line(BEGIN).replace(b"{", b'{"phase":"begin",'),
                    line(CONNECTED).replace(b'"duration_ms": 3', b'"duration_ms": NaN')):
            self.assertNotEqual(validate.problems_of_line(bad), [], bad)

    def test_length(self):
        room = validate.LINE_MAX - len(line({**BEGIN, "message": ""}))
        self.assertEqual(validate.problems_of_line(line({**BEGIN, "message": "x" * room})), [])
        self.assertNotEqual(validate.problems_of_line(line({**BEGIN, "message": "x" * (room + 1)})), [])


class Torn(unittest.TestCase):
    """A killed writer leaves half a record, and the next one's record is in the same line."""

    def compact(self, record):
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"

    def problems(self, text, **how):
        with tempfile.NamedTemporaryFile() as log:
            log.write(text)
            log.flush()
            return validate.problems_of_log(log.name, **how)

    def test_halves_are_told_from_records(self):
        end, begin = self.compact(END), self.compact({**BEGIN, "attempt": "a-2"})
        for length in range(1, len(end) - 2):
            records, halves, problems = validate.parts_of_line(end[:length] + begin)
            self.assertEqual((records, halves, problems), ([{**BEGIN, "attempt": "a-2"}], [end[:length]], []))
        self.assertEqual(validate.parts_of_line(end[:-1] + end), ([END, END], [], []))
        self.assertEqual(validate.parts_of_line(end[:90] + end[:200] + end), ([END], [end[:90], end[:200]], []))
        self.assertEqual(validate.parts_of_line(end[:90] + b"\n"), ([], [end[:90] + b"\n"], []))

    def test_only_who_was_killed_may_tear(self):
        log = self.compact(END)[:200] + self.compact({**END, "attempt": "a-2"})
        self.assertEqual(self.problems(log, pairs=True, killed=["any"]), [])
        self.assertEqual(len(self.problems(log)), 1)
        for torn in (self.compact(END)[:-1], self.compact(END)[:-1] + self.compact(END), self.compact(END)[:70] + b"\n"):
            self.assertEqual(len(self.problems(torn)), 1, torn)
            self.assertEqual(self.problems(torn, killed=["any"]), [], torn)

    def test_no_kill_excuses_another_fault(self):
        end = self.compact(END)
        for bad in (b"rubbish\n", b"\n", b"rubbish" + end, end.replace(b'"curl"', b'"\xff"'),
                    end.replace(b',"phase"', b',"event":"connect","phase"'), self.compact({**END, "surprise": 1}),
                    end[:200] + self.compact({**END, "surprise": 1})):
            self.assertNotEqual(self.problems(bad, killed=["any"]), [], bad)


class Pairs(unittest.TestCase):
    def problems(self, *records, killed=()):
        return validate.problems_of_pairs([(str(i), r) for i, r in enumerate(records)], killed)

    def test_good(self):
        child = {"process.pid": 9}
        self.assertEqual(self.problems(BEGIN, {**BEGIN, **child}, END, {**END, **child}), [])
        self.assertEqual(self.problems(END), [])
        self.assertEqual(self.problems(BEGIN, killed=["7"]), [])
        self.assertEqual(self.problems(BEGIN, killed=["any"]), [])

    def test_bad(self):
        for records in ([BEGIN], [BEGIN, BEGIN, END], [BEGIN, END, END], [END, BEGIN],
                        [BEGIN, {**END, "network.peer.port": 81}]):
            self.assertNotEqual(self.problems(*records), [], records)
        self.assertNotEqual(self.problems(BEGIN, killed=["8"]), [])

    def test_file(self):
        with tempfile.NamedTemporaryFile() as log:
            log.write(line(BEGIN) + b"half")
            log.flush()
            self.assertEqual(len(validate.problems_of_log(log.name)), 1)
            self.assertEqual(len(validate.problems_of_log(log.name, pairs=True)), 2)
            self.assertTrue(os.path.exists(log.name))


if __name__ == "__main__":
    unittest.main()
