#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcpdiag report over logs of every kind, whole and broken."""
import json
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, "tests/tools")
from tool import (Case, SANITIZER, TCPDIAG, begin, lookup, lookup_begin, main,
                  record)  # noqa: E402

HOST = socket.gethostname()


class Report(Case):
    def report(self, content, *options, name="log.jsonl"):
        """Status, output, error."""
        return self.tool("report", *options, self.file(name, content))

    def document(self, content, *options):
        status, out, error = self.report(content, "--json", *options)
        return status, json.loads(out), error


class Statuses(Report):
    def test_nothing_failed(self):
        status, out, error = self.report(record(outcome="connected", cause=None, errno=None))
        self.assertEqual((status, error), (0, ""))
        self.assertEqual(out, "1 attempt: 1 connected, 0 failed\n")

    def test_something_failed(self):
        self.assertEqual(self.report(record())[0], 1)
        self.assertEqual(self.report(lookup())[0], 1)

    def test_each_outcome(self):
        fails = {"connected": 0, "resolved": 0, "abandoned": 0, "dns": 1, "no-route": 1,
                 "refused": 1, "timeout": 1, "denied": 1, "error": 1}
        for outcome, status in fails.items():
            event = "resolve" if outcome in ("dns", "resolved") else "connect"
            got, out, error = self.report(record(outcome=outcome, cause=None, event=event))
            self.assertEqual((got, error), (status, ""), outcome)
            self.assertEqual(outcome in out.split("\n\n")[-1].split("\n")[0], True, out)

    def test_empty_log(self):
        self.assertEqual(self.report(b""), (0, "0 attempts: 0 connected, 0 failed\n", ""))

    def test_what_the_prober_writes_between_its_records_is_passed_over(self):
        lines = b"".join(b'{"%s":{"message":"m"}}\n' % kind for kind in (b"dns", b"control", b"trace"))
        self.assertEqual(self.report(record() + lines + record())[::2], (1, ""))
        for other in (b'{"dns":{},"control":{}}\n', b'{"other":{}}\n'):
            self.assertIn("not a tcpdiag record", self.report(record() + other)[2])

    def test_unread_logs(self):
        unreadable = [self.path("missing"), self.folder, "/proc/self/mem"]
        for log in unreadable:
            status, out, error = self.tool("report", log)
            self.assertEqual((status, out), (2, ""), log)
            self.assertOneLine(error)
            self.assertIn(log, error)

    def test_one_unread_log_among_others(self):
        status, out, error = self.tool("report", self.path("missing"),
                                       self.file("log.jsonl", record()))
        self.assertEqual(status, 2)
        self.assertOneLine(error)
        self.assertIn("1 failed", out)

    def test_no_default_log(self):
        status, out, error = self.tool("report")
        self.assertEqual((status, out), (2, ""))
        self.assertOneLine(error)
        status, out, error = self.tool("report", extra={"TCPDIAG_LOG": "stderr"})
        self.assertEqual((status, out), (2, ""))
        self.assertOneLine(error)

    def test_default_logs(self):
        self.file("app-1.jsonl", record())
        self.file("app-2.jsonl", record(attempt="2-1"))
        status, out, _ = self.tool("report", extra={"TCPDIAG_LOG": self.path("%e-%p.jsonl")})
        self.assertEqual(status, 1)
        self.assertIn("2 failed", out)

    def strangers(self, name):
        """What another user may put where a pattern leads, by the name of its file."""
        os.mkfifo(self.path(name % "fifo"))
        os.symlink("/dev/zero", self.path(name % "zero"))
        os.symlink(self.path("fifo"), self.path(name % "link"))
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path(name % "folder"))
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(self.path(name % "socket"))
        return ["fifo", "zero", "link", "folder", "socket"]

    def test_what_is_no_file_among_the_default_logs_is_passed_by(self):
        kinds = self.strangers("app-%s.jsonl")
        pattern = {"TCPDIAG_LOG": self.path("app-%p.jsonl")}
        status, out, error = self.tool("report", extra=pattern, limit=20)
        self.assertEqual((status, out), (2, ""))
        self.file("app-1.jsonl", record(network__peer__address="no address"))  # asks nobody
        for command in ("report", "compare"):
            status, _, error = self.tool(command, "--json", extra=pattern, limit=20)
            self.assertEqual(status, 1, error)
            for kind in kinds:
                self.assertIn(f"app-{kind}.jsonl", error)
            self.assertEqual(error.count("\n"), len(kinds), error)

    def test_named_devices_have_no_end(self):
        os.symlink("/dev/zero", self.path("zero"))
        for device in ("/dev/zero", self.path("zero"), "/dev/urandom"):
            status, out, error = self.tool("report", device, limit=20)
            self.assertEqual((status, out), (2, ""))
            self.assertIn("is not a regular file", error)
        self.assertEqual(self.tool("report", "/dev/null")[0], 0)

    def test_named_links_and_pipes(self):
        log = self.file("log.jsonl", record())
        os.symlink(log, self.path("link"))
        for words in (f"{self.path('link')}", f"<(cat {log})", f"/dev/stdin < {log}", f"- < {log}",
                      f"/dev/fd/5 5< <(cat {log})"):
            process = self.start("bash", "-c", f"{TCPDIAG} report {words}")
            out, error = process.communicate(timeout=60)
            self.assertEqual((process.returncode, error), (1, b""), words)
            self.assertIn(b"1 failed", out)
        process = self.start("bash", "-c", f"cat {log} | {TCPDIAG} report /dev/stdin")
        self.assertIn(b"1 failed", process.communicate(timeout=60)[0])

    def test_usage(self):
        for option in ("--nonsense", "-x", "--json=1"):
            status, out, error = self.tool("report", option)
            self.assertEqual((status, out), (2, ""))
            self.assertOneLine(error)

    def test_standard_input(self):
        status, out, _ = self.tool("report", "-", input=record())
        self.assertEqual(status, 1)
        self.assertIn("1 failed", out)

    def test_two_logs(self):
        first = self.file("first", begin(attempt="9-9") + record())
        second = self.file("second", record(attempt="9-9", server__address="other"))
        status, out, _ = self.tool("report", first, second)
        self.assertEqual(status, 1)
        self.assertIn("2 attempts: 0 connected, 2 failed", out)

    def test_rotated_logs_in_any_order(self):
        old = self.file("log.jsonl.1", begin(attempt="7-7"))
        new = self.file("log.jsonl", record(attempt="7-7", time="2000-03-01T00:00:00.000000Z"))
        for logs in ([old, new], [new, old]):
            _, out, _ = self.tool("report", *logs)
            self.assertIn("1 attempt: 0 connected, 1 failed", out)
            self.assertIn("port-closed", out)

    def test_output_that_cannot_be_written(self):
        log = self.file("log.jsonl", record())
        with open("/dev/full", "w", encoding="utf-8") as full:
            process = self.start(TCPDIAG, "report", log, stdout=full)
            _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 2)
        self.assertOneLine(error.decode())
        process = self.start("sh", "-c", f"{TCPDIAG} report {log} >&-")
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 2)
        self.assertOneLine(error.decode())

    def test_output_that_is_closed_early(self):
        log = self.file("log.jsonl", b"".join(record(server__address=f"host-{n}.example")
                                              for n in range(3000)))
        process = self.start("bash", "-c", f"{TCPDIAG} report {log} | head -n 1; "
                             "echo ${PIPESTATUS[0]}")
        out, error = process.communicate(timeout=60)
        self.assertEqual(out, b"3000 attempts: 0 connected, 3000 failed\n141\n")
        self.assertEqual(error, b"")


class BrokenLines(Report):
    def test_half_a_line_at_the_end(self):
        status, out, error = self.report(record() + record()[:150])
        self.assertEqual(status, 1)
        self.assertIn("1 failed (1 record is torn)", out)
        self.assertEqual(error, "")

    def test_last_line_without_its_end(self):
        status, out, error = self.report(record().rstrip(b"\n"))
        self.assertEqual((status, error), (1, ""))

    def test_foreign_json(self):
        lines = [b'{"level":"info"}', b"[1,2]", b'"text"', b"null", b"42", b"{}"]
        status, out, error = self.report(b"\n".join(lines) + b"\n" + record())
        self.assertEqual(status, 1)
        self.assertIn("1 failed", out)
        self.assertIn("6 lines skipped", error)
        self.assertEqual(error.count("not a tcpdiag record"), 5)

    def test_fields_of_the_wrong_kind(self):
        kinds = [1, -1, 1.5, True, [], {}, ["a"], "", "x" * 100]
        for key in ("attempt", "time", "host__name", "network__peer__port", "evidence", "lost",
                    "process__pid", "server__address", "outcome", "cause", "errno", "phase"):
            for value in kinds:
                status, _, error = self.report(record(**{key: value}))
                self.assertIn(status, (0, 1), (key, value))
                self.assertNotIn("runtime error", error)

    def test_binary_rubbish(self):
        rubbish = bytes(range(256)) * 100
        status, out, error = self.report(rubbish + b"\n" + record())
        self.assertEqual(status, 1)
        self.assertIn("1 failed", out)
        self.assertIn("skipped", error)

    def test_an_outcome_of_a_later_version(self):
        _, out, error = self.report(record(outcome="quantum") + record(cause="unheard-of"))
        self.assertIn("1 attempt: 0 connected, 1 failed", out)
        self.assertIn("1 line skipped", error)

    def test_a_line_of_ten_megabytes(self):
        for filling in (b"x", b'["', b" ", b"\0"):
            long = filling * (10_000_000 // len(filling))
            status, out, error = self.report(record() + long + b"\n" + record())
            self.assertEqual(status, 1)
            self.assertIn("2 failed", out)
            self.assertIn(":2: not a tcpdiag record (too long)", error)

    def test_a_record_behind_a_hole(self):
        """What a log looks like that was cut while a writer without O_APPEND went on, or after a
        loss of power."""
        status, out, error = self.report(b"\0" * 5000 + record())
        self.assertIn("1 failed\n", out)
        self.assertIn("1 line skipped", error)

    def test_a_pipe_is_read_to_its_end(self):
        os.mkfifo(self.path("fifo"))
        self.file("log.jsonl", record() * 2)
        process = self.start("bash", "-c", f"cat log.jsonl > fifo & {TCPDIAG} report fifo")
        out, error = process.communicate(timeout=60)
        self.assertEqual((process.returncode, error), (1, b""))
        self.assertIn(b"2 failed", out)

    def test_a_pipe_whose_writer_waits_already(self):
        os.mkfifo(self.path("fifo"))
        with open(self.file("log.jsonl", record() * 2), encoding="utf-8") as log:
            writer = self.start("tee", "fifo", stdin=log)
        with open(f"/proc/{writer.pid}/stat", encoding="ascii") as state:
            while " (tee) S " not in state.read():  # it sleeps in open(2), until there is a reader
                state.seek(0)
        status, out, error = self.tool("report", self.path("fifo"), limit=20)
        writer.communicate(timeout=60)
        self.assertEqual((status, error, writer.returncode), (1, "", 0))
        self.assertIn("2 failed", out)

    def test_windows_line_ends(self):
        status, out, error = self.report(record().replace(b"\n", b"\r\n") * 2)
        self.assertEqual((status, error), (1, ""))
        self.assertIn("2 failed", out)

    def test_only_rubbish(self):
        status, out, error = self.report(b"no log\n")
        self.assertEqual(status, 0)
        self.assertIn("0 attempts", out)


class Torn(Report):
    """A writer that is killed in write(2) leaves half a record; the next one is in the same line."""

    def test_the_record_behind_a_torn_one(self):
        half = record(attempt="2-1", outcome="connected", cause=None, errno=None)
        for length in range(1, len(half) - 1):
            _, document, error = self.document(half[:length] + record())
            self.assertEqual((document["failed"], document["connected"], document["torn"]), (1, 0, 1),
                             half[:length])
            self.assertEqual((document["skipped_lines"], error), (0, ""))

    def test_a_record_that_only_lacks_its_newline_is_whole(self):
        _, document, _ = self.document(record().rstrip(b"\n") + record(attempt="2-1"))
        self.assertEqual((document["failed"], document["torn"]), (2, 0))

    def test_several_in_one_line(self):
        half = record(attempt="2-1")[:300]
        log = half + half + record() + half + record(attempt="3-1") + half + b"\n" + record(attempt="4-1")
        _, document, error = self.document(log)
        self.assertEqual((document["failed"], document["torn"], error), (3, 4, ""))
        self.assertIn("3 failed (4 records are torn)\n", self.report(log)[1])

    def test_a_name_that_looks_like_a_record(self):
        name = '{"time":"2000-02-29T00:00:00.123456Z"'
        _, document, _ = self.document(record(server__address=name) + record()[:200]
                                       + record(server__address=name))
        self.assertEqual((document["failed"], document["torn"]), (2, 1))
        self.assertEqual(document["failures"][0]["target"], name)

    def test_an_attempt_whose_end_is_torn_is_no_timeout(self):
        end = record(attempt="2-1")
        named = end.index(b'"outcome"')
        for length in (1, 5, 20, 60, named - 3, named, 300, len(end) - 2):
            for rest in (b"", b"\n", record()):
                status, document, _ = self.document(begin(attempt="2-1") + end[:length] + rest, "--all")
                self.assertEqual((document["torn"], document["unknown"]), (1, 1), end[:length])
                self.assertEqual((status, document["failed"]), (bool(rest.strip()),) * 2)
                self.assertIn("unknown", [one["outcome"] for one in document["others"]])

    def test_what_is_torn_does_not_excuse_other_attempts(self):
        torn = record(attempt="2-1")[:300] + b"\n"
        _, document, _ = self.document(begin() + torn)  # another attempt's end
        self.assertEqual((document["failed"], document["unknown"]), (1, 0))
        torn_begin = begin(attempt="2-1")[:300] + b"\n"
        _, document, _ = self.document(begin() + torn_begin)
        self.assertEqual((document["failed"], document["unknown"]), (1, 0))
        nameless = record()[:20] + b"\n"
        _, document, _ = self.document(nameless + begin())
        self.assertEqual((document["failed"], document["unknown"]), (1, 0))
        later = record(attempt="3-1", time="2000-02-29T00:03:00.000000Z")
        _, document, _ = self.document(begin() + later + nameless)
        self.assertEqual((document["failed"], document["unknown"]), (2, 0))

    def test_an_attempt_whose_process_has_lost_records_is_no_timeout(self):
        later = dict(attempt="3-1", outcome="connected", cause=None, errno=None, lost=1)
        status, document, _ = self.document(begin() + record(**later), "--all")
        self.assertEqual((status, document["failed"], document["unknown"]), (0, 0, 1))
        self.assertIn("1 unknown (1 record lost)", self.report(begin() + record(**later))[1])
        for log in (record(**later) + begin(),  # the loss was before
                    begin(lost=1),
                    begin() + record(**later, process__pid=5),
                    begin() + record(**later, host__name="other")):
            status, document, _ = self.document(log)
            self.assertEqual((status, document["failed"], document["unknown"]), (1, 1, 0))

    def test_rotated_logs_are_put_in_order_by_a_record_behind_a_torn_one(self):
        old = self.file("log.jsonl.1", record(attempt="9-9")[:200] + begin(attempt="7-7"))
        new = self.file("log.jsonl", record(attempt="7-7", time="2000-03-01T00:00:00.000000Z"))
        _, out, _ = self.tool("report", new, old)
        self.assertIn("1 attempt: 0 connected, 1 failed", out)

    def test_many_torn_ones_take_no_time(self):
        """What a hostile log can ask for: each begin open, each piece torn, each record lost."""
        log = self.path("log.jsonl")
        with open(log, "wb") as file:
            for number in range(20000):
                file.write(begin(attempt=f"{number:x}-1", process__pid=number + 1, lost=1))
                file.write(record()[:20] * 20 + b"\n")
        status, out, _ = self.tool("report", "--json", log, limit=30)
        self.assertEqual(json.loads(out)["torn"], 400000)


class Text(Report):
    def test_one_failure(self):
        _, out, _ = self.report(record(evidence={"icmp.from": "10.0.1.1"}))
        self.assertIn("refused / port-closed   db.staging:5432 (10.0.2.2)   1 time\n", out)
        for label in ("why:", "seen by:", "said by:", "when:", "next:"):
            self.assertIn(f"  {label} ", out)

    def test_equal_failures_are_one(self):
        _, out, _ = self.report(record() + record(time="2000-03-01T00:00:00.000000Z",
                                                  network__peer__address="10.0.2.3",
                                                  process__executable__name="other"))
        self.assertIn("db.staging:5432 (10.0.2.2, 10.0.2.3)   2 times\n", out)
        self.assertIn("seen by: app, other\n", out)
        self.assertIn("when: 2000-02-29T00:00:00.123456Z to 2000-03-01T00:00:00.000000Z\n", out)

    def test_the_most_frequent_comes_first(self):
        _, out, _ = self.report(record(server__address="a") + record(server__address="b") * 2)
        self.assertLess(out.index("b:5432"), out.index("a:5432"))

    def test_ipv6(self):
        _, out, _ = self.report(record(server__address=None,
                                       network__peer__address="2001:db8::1"))
        self.assertIn("[2001:db8::1]:5432   1 time", out)

    def test_all(self):
        log = record(outcome="connected", cause=None, errno=None)
        self.assertNotIn("db.staging", self.report(log)[1])
        self.assertIn("connected   db.staging:5432", self.report(log, "--all")[1])

    def test_no_line_is_longer_than_80_columns(self):
        name = ".".join(["label-of-some-length"] * 11)
        log = b"".join(record(server__address=name, network__peer__address=f"2001:db8::{n}",
                              process__executable__name=f"program-of-a-long-name-{n}",
                              evidence={"icmp.from": f"2001:db8:1::{n}"}) for n in range(9))
        log += record(outcome="error", cause=None, errno="EAFNOSUPPORT")
        _, out, _ = self.report(log + begin())
        for line in out.splitlines():
            self.assertLessEqual(len(line.replace(name, "NAME")), 80, line)

    def test_hostile_names_cannot_write_to_the_terminal(self):
        for name in ("a\x1b]0;t\x07", "\u009b31m", "\u202eb", "a\nconnected", "\x7f\x08"):
            _, out, error = self.report(record(server__address=name, errno=name, time=name,
                                               process__executable__name=name,
                                               network__peer__address=name,
                                               evidence={"icmp.from": name}, cause=None))
            for mark in "\x1b\x07\u009b\u202e\x7f\x08":
                self.assertNotIn(mark, out + error)
            self.assertNotIn("\nconnected", out)

    def test_hostile_file_names_cannot_write_to_the_terminal(self):
        """Another user may have put files where the pattern of a log leads."""
        for name in (b"a\x1b]0;t\x07", b"b\xc2\x9b31m", b"c\xe2\x80\xae", b"d\nx", b"e\x9b31m", b"f\x7f"):
            path = os.fsencode(self.path("d.")) + name + b".1.jsonl"
            with open(path, "wb") as file:
                file.write(b"no record\n")
            for words in (("report",), ("report", path), ("report", path + b".missing"), ("compare",),
                          ("report", b"--json"), ("run", b"-l", path + b"/x", b"--", b"true"),
                          ("run", b"--", path)):
                process = self.start(TCPDIAG, *words, env={
                    **self.environment, "TCPDIAG_LOG": self.path("d.%e.%p.jsonl")})
                out, error = process.communicate(timeout=60)
                self.assertTrue(words[0] == "run" or error, words)
                for mark in (b"\x1b", b"\x07", b"\x9b", b"\xe2\x80\xae", b"\x7f", b"\nx"):
                    self.assertNotIn(mark, out + error, words)
            os.unlink(path)

    def test_lost_records_are_said(self):
        _, out, _ = self.report(record(lost=3))
        self.assertIn("(3 records lost)", out)


class Unfinished(Report):
    def test_a_connect_of_a_dead_process(self):
        status, out, _ = self.report(begin())
        self.assertEqual(status, 1)
        self.assertIn("timeout / gave-up-waiting   db.staging:5432", out)
        self.assertIn("note: 1 ended while still connecting", out)

    def test_a_lookup_of_a_dead_process(self):
        status, out, _ = self.report(lookup_begin())
        self.assertEqual(status, 1)
        self.assertIn("dns   db.staging   1 time", out)
        self.assertIn("the program ended while the name was still being looked up", out)

    def test_a_lookup_of_a_dead_process_is_no_other_failure(self):
        """What is known about the one must not be said of the other."""
        unfinished = lookup_begin(attempt="2-1")
        _, out, _ = self.report(lookup(cause=None, gai="EAI_FAMILY") + unfinished)
        self.assertEqual(out.count("db.staging:5432   1 time") + out.count("db.staging   1 time"),
                         2, out)
        self.assertIn("the program ended while the name was still being looked up", out)
        self.assertIn("(EAI_FAMILY)", out)

    def test_a_lookup_that_was_cut_short_is_no_misspelling(self):
        _, out, _ = self.report(lookup_begin())
        advice = " ".join(out.split("next:")[1].split())
        self.assertIn("resolv.conf", advice)
        self.assertNotIn("spelling", advice)

    def test_a_process_that_lives(self):
        own = dict(process__pid=os.getpid(), host__name=HOST,
                   time=time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()))
        status, out, _ = self.report(begin(**own) + lookup_begin(**own), "--all")
        self.assertEqual(status, 0)
        self.assertIn("0 failed, 2 pending", out)
        self.assertIn("pending   db.staging:5432", out)

    def test_a_process_that_has_ended_and_was_not_waited_for(self):
        child = subprocess.Popen(["true"])
        self.addCleanup(child.wait)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        own = dict(process__pid=child.pid, host__name=HOST,
                   time=time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()))
        status, out, _ = self.report(begin(**own))
        self.assertEqual(status, 1)
        self.assertIn("timeout / gave-up-waiting", out)

    def test_a_process_number_that_is_another_process_by_now(self):
        status, _, _ = self.report(begin(process__pid=os.getpid(), host__name=HOST))
        self.assertEqual(status, 1)

    def test_begin_and_end_are_one(self):
        _, out, _ = self.report(begin() + record())
        self.assertIn("1 attempt: 0 connected, 1 failed", out)

    def test_the_same_attempt_of_another_process_is_another(self):
        _, out, _ = self.report(begin(process__pid=1) + record(process__pid=2))
        self.assertIn("2 attempts", out)
        _, out, _ = self.report(begin(host__name="a") + record(host__name="b"))
        self.assertIn("2 attempts", out)


class Json(Report):
    GROUP = {"event": str, "outcome": str, "target": str, "count": int, "unfinished": int,
             "first": str, "last": str, "programs": list, "addresses": list, "icmp_from": list,
             "errors": list, "meaning": str}
    OPTIONAL = {"cause": str, "port": int, "advice": str}
    COUNTS = ("attempts", "connected", "resolved", "failed", "abandoned", "pending", "unknown",
              "lost", "torn", "skipped_lines")

    def check(self, document):
        self.assertEqual(set(document) - {"others"}, set(self.COUNTS) | {"failures"})
        for key in self.COUNTS:
            self.assertIsInstance(document[key], int)
        for group in document["failures"] + document.get("others", []):
            self.assertLessEqual(set(group), set(self.GROUP) | set(self.OPTIONAL))
            for key, kind in self.GROUP.items():
                self.assertIsInstance(group[key], kind, key)
            for key, kind in self.OPTIONAL.items():
                self.assertIsInstance(group.get(key, kind()), kind, key)
            self.assertTrue(group["meaning"])

    def test_shape(self):
        log = (record() * 2 + record(outcome="connected", cause=None, errno=None) + lookup()
               + begin(attempt="3-1") + lookup_begin(attempt="4-1")
               + record(outcome="abandoned", cause=None, errno=None) + b"rubbish\n")
        status, document, _ = self.document(log, "--all")
        self.assertEqual(status, 1)
        self.check(document)
        self.assertEqual(document["attempts"], 7)
        self.assertEqual(document["failed"], 5)
        self.assertEqual(document["skipped_lines"], 1)
        self.assertEqual(sum(group["count"] for group in document["failures"]), 5)
        self.assertEqual(sum(group["count"] for group in document["others"]), 2)
        self.check(self.document(log)[1])
        self.assertNotIn("others", self.document(log)[1])

    def test_values(self):
        _, document, _ = self.document(record(evidence={"icmp.from": "10.0.1.1"}))
        group = document["failures"][0]
        self.assertEqual(group["target"], "db.staging")
        self.assertEqual(group["port"], 5432)
        self.assertEqual(group["cause"], "port-closed")
        self.assertEqual(group["programs"], ["app"])
        self.assertEqual(group["addresses"], ["10.0.2.2"])
        self.assertEqual(group["icmp_from"], ["10.0.1.1"])
        self.assertEqual(group["errors"], ["ECONNREFUSED"])

    def test_controls_are_escaped(self):
        name = "a\u009b\u007f\u202e\u2028\u200fz\u00a0\u00fc"
        _, out, _ = self.report(record(server__address=name), "--json", "--all")
        self.assertIn("a\\u009b\\u007f\\u202e\\u2028\\u200fz\u00a0\u00fc", out)
        self.assertEqual(json.loads(out)["failures"][0]["target"], name)

    def test_nothing_read_is_a_document_too(self):
        status, out, error = self.tool("report", "--json", self.path("missing"))
        self.assertEqual(status, 2)
        self.check(json.loads(out))

    def test_names_of_any_kind(self):
        for name in ("a\"b\\c", "b\u00fccher", "\u0001", "a\u0000b", "\U0001f600", ""):
            _, document, _ = self.document(record(server__address=name))
            self.check(document)
            self.assertEqual(len(document["failures"]), 1)


class Large(Report):
    def test_memory_grows_with_the_groups_and_not_with_the_log(self):
        pair = begin(attempt="1-{n}") + record(attempt="1-{n}")
        log = self.path("large.jsonl")
        with open(log, "wb") as file:
            for n in range(50_000):
                file.write(pair.replace(b"{n}", str(n).encode()))
        limit = 16 * 1024  # KiB of address space; the log is more than twice as long
        self.assertGreater(os.path.getsize(log), 2 * limit * 1024)
        if SANITIZER:
            print("SKIPPED: how much memory it takes: a sanitizer's own is more")
            limit = "unlimited"
        process = self.start("bash", "-c", f"ulimit -v {limit}; exec {TCPDIAG} report {log}")
        out, error = process.communicate(timeout=60)
        self.assertEqual(error, b"")
        self.assertTrue(out.startswith(b"50000 attempts: 0 connected, 50000 failed\n"), out)


main()
