#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tcpdiag compare says about programs that really ran under the library, in the lab."""
import json
import os
import socket
import subprocess
import sys

from tool import Case, begin, closed_port, listening_port, lookup, main, record

LIBRARY = os.path.abspath("shim/libtcpdiag.so")

# Looks the name up, connects to the first answer; then lives on until its standard input ends.
CLIENT = """
import socket, sys
host, port, family, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
try:
    where = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0]
    s = socket.socket(where[0])
    s.settimeout(limit or None)
    s.connect(where[4])
except OSError:
    pass
print("done", flush=True)
sys.stdin.read()
"""


class CompareTest(Case):
    def client(self, host, port, family=0, limit=0, prefix=(), extra=None):
        """A program that has tried, and still lives; ended at the test's end or by end()."""
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", CLIENT, host, str(port), str(int(family)), str(limit)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**self.environment, "LD_PRELOAD": LIBRARY, "TCPDIAG_LOG": self.log, **(extra or {})})
        self.addCleanup(self.end, process)
        self.assertEqual(process.stdout.readline(), b"done\n")
        return process

    def end(self, process):
        if process.stdin:
            process.stdin.close()
            process.stdout.close()
            process.stdin = None
        process.wait()

    def compare(self, *arguments, status=0, log=True):
        """The destinations, by (event, name or address)."""
        arguments = ("compare", "--json", *arguments, *([self.log] if log else []))
        code, out, error = self.tool(*arguments)
        self.assertEqual(error, "")
        self.assertEqual(code, status, out)
        document = json.loads(out)
        text_code, text, _ = self.tool(*[word for word in arguments if word != "--json"])
        self.assertEqual(text_code, status)
        self.assertNarrow(text)
        self.text = " ".join(text.split())
        return {(one["event"], one.get("server.address", one.get("network.peer.address"))): one
                for one in document["destinations"]}

    def reasons(self, one):
        return {reason["reason"]: reason["text"] for reason in one["reasons"]}

    def hosts(self, text):
        with open("/etc/hosts", encoding="utf-8") as file:
            before = file.read()

        def write(content):
            with open("/etc/hosts", "w", encoding="utf-8") as file:
                file.write(content)
        self.addCleanup(write, before)
        write(before + text)

    def test_the_network_fails_for_both(self):
        self.end(self.client("web.lab", 79, socket.AF_INET))
        one = self.compare(status=1)[("connect", "web.lab")]
        self.assertEqual(one["verdict"], "same")
        self.assertEqual(one["then"]["cause"], "port-closed")
        self.assertEqual(one["now"]["cause"], "port-closed")
        self.assertTrue(one["fails_now"])
        self.assertIn("web.lab:79 (10.0.2.2)", self.text)
        self.assertIn("the cause is the network or the host, not the program", self.text)

    def test_a_timeout_is_the_same_with_a_finer_cause(self):
        self.end(self.client("10.0.2.2", 82, limit=1.2))
        one = self.compare("-w", "0.5", status=1)[("connect", "10.0.2.2")]
        self.assertEqual(one["then"]["cause"], "gave-up-waiting")
        self.assertEqual(one["verdict"], "same")
        self.assertEqual(one["now"]["outcome"], "timeout")

    def test_both_fail_in_different_ways(self):
        with open(self.log, "wb") as file:
            file.write(record(server__address=None, network__peer__port=79, outcome="timeout",
                              cause="no-answer"))
        one = self.compare(status=1)[("connect", "10.0.2.2")]
        self.assertEqual(one["verdict"], "different")

    def test_it_was_mended(self):
        held, port = closed_port()
        self.end(self.client("127.0.0.1", port))
        held.listen(16)
        with held:
            one = self.compare()[("connect", "127.0.0.1")]
        self.assertEqual(one["verdict"], "mended")
        self.assertTrue(one["process_gone"])
        self.assertFalse(one["fails_now"])
        self.assertIn("the process is gone", self.text)

    def test_the_log_itself_says_that_it_was_mended(self):
        held, port = closed_port()
        self.end(self.client("127.0.0.1", port))
        held.listen(16)
        with held:
            self.end(self.client("127.0.0.1", port))
            one = self.compare()[("connect", "127.0.0.1")]
        self.assertEqual(one["verdict"], "mended")
        self.assertTrue(one["then"]["recovered"])
        self.assertEqual((one["then"]["attempts"], one["then"]["failures"]), (2, 1))

    def test_its_time_limit_is_shorter_than_the_handshake(self):
        self.end(self.client("10.0.2.2", 86, limit=0.3))
        one = self.compare()[("connect", "10.0.2.2")]
        self.assertEqual(one["verdict"], "only-program")
        self.assertRegex(self.reasons(one)["time-limit"], r"time limit of \d+ ms is shorter")
        self.assertEqual(one["now"]["cause"], "slow-handshake")
        self.assertIn("only the program fails", self.text)

    def test_a_limit_that_is_too_short_for_a_fast_network_is_not_blamed(self):
        self.end(self.client("10.0.2.2", 82, limit=0.2))
        with open(self.log, encoding="utf-8") as file:
            lines = file.read().replace('"network.peer.port":82', '"network.peer.port":80')
        with open(self.log, "w", encoding="utf-8") as file:
            file.write(lines)
        self.assertEqual(self.compare(), {})
        self.assertEqual(self.compare("--all")[("connect", "10.0.2.2")]["verdict"], "fine")

    def test_given_up_at_once_and_silent_now(self):
        self.end(self.client("10.0.2.2", 82, limit=0.2))
        one = self.compare("-w", "0.5", status=1)[("connect", "10.0.2.2")]
        self.assertEqual((one["then"]["outcome"], one["verdict"]), ("abandoned", "same"))

    def test_its_resolver_answered_differently(self):
        self.hosts("10.0.2.2 moved.test\n")
        self.end(self.client("moved.test", 79))
        server, port = listening_port()
        with server:
            with open("/etc/hosts", "r+", encoding="utf-8") as file:
                text = file.read().replace("10.0.2.2 moved", "127.0.0.1 moved")
                file.seek(0)
                file.truncate()
                file.write(text)
            with open(self.log, encoding="utf-8") as file:
                lines = file.read().replace('"network.peer.port":79', '"network.peer.port":%d' % port)
            with open(self.log, "w", encoding="utf-8") as file:
                file.write(lines)
            one = self.compare()[("connect", "moved.test")]
        self.assertEqual(one["verdict"], "only-program")
        self.assertIn("it tried 10.0.2.2, the name has 127.0.0.1 now",
                      self.reasons(one)["resolver"])

    def test_another_family_was_tried(self):
        self.hosts("127.0.0.1 both.test\n::1 both.test\n")
        server, port = listening_port()
        with server:
            self.end(self.client("both.test", port, socket.AF_INET6))
            one = self.compare()[("connect", "both.test")]
        self.assertEqual(one["verdict"], "only-program")
        self.assertIn("it tried an IPv6 address", self.reasons(one)["family"])
        self.assertIn("127.0.0.1 connects", self.reasons(one)["family"])

    def test_the_program_went_on_to_the_other_address_by_itself(self):
        self.hosts("127.0.0.1 both.test\n::1 both.test\n")
        server, port = listening_port()
        with server:
            self.end(self.client("both.test", port, socket.AF_INET6))
            self.end(self.client("both.test", port, socket.AF_INET))
            one = self.compare()[("connect", "both.test")]
        self.assertEqual(one["verdict"], "same")
        self.assertIn("127.0.0.1", self.reasons(one)["elsewhere"])

    def test_another_network_namespace(self):
        process = self.client("10.0.2.2", 80, prefix=("unshare", "-n"))
        one = self.compare()[("connect", "10.0.2.2")]
        self.assertEqual(one["verdict"], "only-program")
        self.assertEqual(one["then"]["cause"], "no-local-route")
        self.assertIn("--netns %d" % process.pid, self.reasons(one)["netns"])
        there = self.compare("--netns", str(process.pid), status=1)[("connect", "10.0.2.2")]
        self.assertEqual(there["verdict"], "same")
        self.assertEqual(there["now"]["cause"], "no-local-route")

    def test_a_namespace_of_a_user_namespace_of_ones_own(self):
        process = self.client("10.0.2.2", 80, prefix=("unshare", "-Un"))
        there = self.compare("--netns", str(process.pid), status=1)[("connect", "10.0.2.2")]
        self.assertEqual(there["now"]["cause"], "no-local-route")

    def test_its_own_resolv_conf(self):
        script = ("echo 'nameserver 10.0.2.99\noptions timeout:1 attempts:1' >/run/other.conf; "
                  "mount --bind /run/other.conf /etc/resolv.conf; exec \"$@\"")
        self.client("web.lab", 80, prefix=("unshare", "-m", "sh", "-c", script, "sh"))
        found = self.compare()
        one = found[("resolve", "web.lab")]
        self.assertEqual(one["then"]["cause"], "server-failed")
        self.assertEqual(one["verdict"], "only-program")
        self.assertIn("nameserver 10.0.2.99", self.reasons(one)["resolver"])

    def test_a_name_that_fails_is_explained(self):
        self.end(self.client("nope.lab", 80))
        one = self.compare(status=1)[("resolve", "nope.lab")]
        self.assertEqual(one["verdict"], "same")
        self.assertIn("say that the name does not exist", one["now"]["message"])
        self.assertIn("10.0.2.2: NXDOMAIN", self.text)

    def test_a_proxy_of_its_environment(self):
        held, port = closed_port()
        with held:
            self.client("127.0.0.1", port,
                        extra={"https_proxy": "http://user:secret@127.0.0.1:%d/" % port})
            one = self.compare(status=1)[("connect", "127.0.0.1")]
        self.assertEqual(self.reasons(one)["proxy"],
                         "this destination is the proxy that its environment names: "
                         "https_proxy=127.0.0.1:%d" % port)
        self.assertNotIn("secret", json.dumps(one) + self.text)

    def test_without_all_only_failures_are_asked(self):
        self.end(self.client("10.0.2.2", 80))
        self.assertEqual(self.compare(), {})
        self.assertIn("nothing in the log failed", self.text)
        self.assertEqual(self.compare("--all")[("connect", "10.0.2.2")]["verdict"], "fine")

    def test_only_the_prober_fails(self):
        server, port = listening_port()
        self.end(self.client("127.0.0.1", port))
        server.close()
        one = self.compare("--all", status=1)[("connect", "127.0.0.1")]
        self.assertEqual(one["verdict"], "only-prober")

    def test_a_program_that_was_killed_while_it_connected(self):
        with open(self.log, "wb") as file:
            file.write(begin(server__address=None, network__peer__port=79))
        one = self.compare(status=1)[("connect", "10.0.2.2")]
        self.assertEqual(one["then"]["cause"], "gave-up-waiting")
        self.assertNotIn("duration_ms", one["then"])

    def test_a_log_cannot_make_the_prober_scan(self):
        hostile = ["10.0.0.0/8", "10.0.2.2 1-65535", "-f/etc/passwd", "http://10.0.2.2/"]
        with open(self.log, "wb") as file:
            for peer in hostile:
                file.write(record(server__address=None, network__peer__address=peer,
                                  network__peer__port=80))
            file.write(record(server__address="\x1b[31mred\n", network__peer__address="10.0.2.2",
                              network__peer__port=79))
        found = self.compare(status=1)
        for peer in hostile:
            self.assertEqual(found[("connect", peer)]["verdict"], "not-asked")
        self.assertNotIn("\x1b", self.text)

    def test_one_prober_asks_for_all(self):
        with open(self.log, "wb") as file:
            for port in range(20000, 20300):
                file.write(record(server__address=None, network__peer__port=port,
                                  attempt="1a-%d" % port))
        code, out, _ = self.tool("compare", "--json", self.log)
        document = json.loads(out)
        self.assertEqual((code, document["failing_now"]), (1, 300))
        self.assertEqual({one["verdict"] for one in document["destinations"]}, {"same"})

    def test_the_destinations_of_a_log_are_bounded(self):
        with open(self.log, "wb") as file:
            for number in range(20500):
                # Given up, and nowhere connected: the most that a log can ask for.
                file.write(record(server__address=None, network__peer__port=1 + number % 60000,
                                  attempt="1a-%d" % number, outcome="abandoned", cause=None,
                                  errno=None, network__peer__address="no address"))
            file.write(record(server__address=None, network__peer__address="no address",
                              network__peer__port=7, attempt="2a-1"))
        code, out, error = self.tool("compare", "--json", self.log, limit=30)
        document = json.loads(out)
        self.assertEqual((code, len(document["destinations"])), (1, 500))
        self.assertEqual((document["left_out"], document["attempts_not_kept"]), (9500, 10500))
        self.assertEqual(document["destinations"][0]["network.peer.port"], 7)
        self.assertIn("9500 destinations left out: 500 are asked", error)
        self.assertIn("10500 attempts to further destinations", error)

    def test_wrong_use(self):
        for arguments, words in [
                (("--netns", "0"), "not a process number"),
                (("--netns", "x"), "not a process number"),
                (("--netns", "4194303"), "there is no such process"),
                (("-w", "x"), "not a number of seconds"),
                ((self.path("nothing"),), "No such file"),
                (("--nonsense",), "unrecognized option")]:
            log = () if self.path("nothing") in arguments else ("/dev/null",)
            code, _, error = self.tool("compare", *arguments, *log)
            self.assertEqual(code, 2, arguments)
            self.assertIn(words, error)
            self.assertOneLine(error)


if __name__ == "__main__":
    main()
