#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The engine where the network or this machine gives out, in a network namespace of its own."""
import csv
import io
import os
import resource
import signal
import socket
import subprocess
import sys
import time

sys.path[:0] = ["tests/tools", "tests/probe"]
from prober import ProberCase  # noqa: E402
from tool import main, silent_port  # noqa: E402

INSIDE = "TCPDIAG_TEST_INSIDE"
# Without ARP packets are sent to nobody's address, and the other end of the cable drops them.
SETUP = """
ip link set lo up
ip link add nowhere type veth peer name end
ip link set nowhere arp off
ip addr add 10.99.0.1/16 dev nowhere
ip link set end up
ip link set nowhere up
ip route add unreachable 10.77.0.0/16
"""


def enter():
    """Root of a user namespace; where that is not allowed, all is skipped, loudly."""
    if os.environ.get(INSIDE):
        subprocess.run(["sh", "-ec", SETUP], check=True)
        return
    if subprocess.run(["unshare", "-Urnm", "true"], stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        print("SKIPPED: network_test: this system lets users make no namespaces")
        sys.exit(0)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-Urnm", sys.executable, *sys.argv])


class Limits(ProberCase):
    def rows(self, out):
        return list(csv.DictReader(io.StringIO(out), strict=True))

    def test_silent_targets_take_one_limit_together(self):
        begin = time.monotonic()
        status, out, error = self.probe("--csv", "--no-control", "-w", 1, "10.99.8.0/22", 81)
        self.assertEqual((status, error), (6, ""))
        self.assertEqual(len(self.rows(out)), 1024)
        self.assertLess(time.monotonic() - begin, 10)  # one after the other: 1024

    def test_jobs_bound_what_is_in_flight(self):
        process = self.begin("-q", "--no-control", "-w", 60, "-j", 5, "10.99.8.0/24", 81)
        self.has_syn_sent(process, 81)
        for _ in range(200):
            with open("/proc/self/net/tcp", encoding="ascii") as table:
                self.assertLessEqual(sum(":0051 02 " in line for line in table), 5)

    def test_descriptors_run_out(self):
        limit = (90, 90)
        process = self.begin("--csv", "--no-control", "-w", 0.3, "10.99.8.0/24", 81,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))
        out, error = process.communicate(timeout=60)
        self.assertEqual((process.returncode, error), (6, b""))
        self.assertEqual(len(self.rows(out.decode())), 256)

    def test_descriptors_that_others_take_are_waited_for(self):
        # 60 of the 90 stay open across the exec: fewer are left than the limit says.
        def crowd():
            resource.setrlimit(resource.RLIMIT_NOFILE, (90, 90))
            for _ in range(60):
                os.set_inheritable(os.dup(0), True)
        process = self.begin("--csv", "--no-control", "-w", 0.3, "10.99.8.0/24", 81,
                             preexec_fn=crowd, close_fds=False)
        out, error = process.communicate(timeout=60)
        self.assertEqual((process.returncode, error), (6, b""))
        self.assertEqual({row["cause"] for row in self.rows(out.decode())}, {"gave-up-waiting"})

    def test_the_soft_limit_is_raised(self):
        process = self.begin("-q", "--no-control", "-w", 60, "10.99.8.0/24", 81, preexec_fn=lambda:
                             resource.setrlimit(resource.RLIMIT_NOFILE, (70, 1000)))
        while True:
            with open("/proc/self/net/tcp", encoding="ascii") as table:
                if sum(":0051 02 " in line for line in table) == 256:
                    return
            self.assertIsNone(process.poll())

    def test_source_ports_run_out(self):
        name = "/proc/sys/net/ipv4/ip_local_port_range"
        with open(name, encoding="ascii") as file:
            before = file.read()
        with open(name, "w", encoding="ascii") as file:
            file.write("50000 50004")
        try:
            targets = "10.99.9.9 81\n" * 12
            status, out, error = self.probe("--csv", "--no-control", "-w", 0.5, "-f",
                                            self.file("targets", targets))
        finally:
            with open(name, "w", encoding="ascii") as file:
                file.write(before)
        self.assertEqual(status, 6)
        self.assertEqual([row["cause"] for row in self.rows(out)], ["gave-up-waiting"] * 12)
        self.assertOneLine(error)
        self.assertIn("no free source port", error)

    def test_memory_does_not_grow_with_the_targets(self):
        peaks = []
        for block in ("10.77.0.0/26", "10.77.0.0/16"):
            with open(self.path("out"), "wb") as out:
                process = self.begin("-q", block, "80,81", stdout=out)
                _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 4)
            peaks.append(usage.ru_maxrss)
        with open(self.path("out"), "rb") as out:
            self.assertEqual(sum(1 for _ in out), 2 * 65536)
        self.assertLess(peaks[1] - peaks[0], 512, peaks)  # KiB

    def test_memory_does_not_grow_with_what_waits_for_its_turn(self):
        # The first is silent for three seconds; what is behind it may not all be kept.
        process = self.begin("-q", "--ordered", "--no-control", "-w", 3, "10.99.8.8", 81,
                             "10.77.0.0/16", 80, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 10)
        self.assertLess(usage.ru_maxrss, 40 * 1024)

    def test_mark(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        self.assertEqual(self.probe("-q", "--mark", 7, "127.0.0.1", server.getsockname()[1])[0], 0)

    def test_few_hosts_are_asked_elsewhere(self):
        _, out, _ = self.probe("-w", 0.3, "10.99.8.0/26", 81)
        self.assertEqual(out.count("seen:"), 16)
        self.assertEqual(out.count("host-silent"), 16)
        self.assertEqual(out.count("gave-up-waiting"), 48)

    def test_a_host_is_asked_once_for_all_its_ports(self):
        kept, port = silent_port()
        self.addCleanup(lambda: [one.close() for one in kept])
        _, out, _ = self.probe("--json", "-w", 0.3, "10.99.8.1", "81-90")
        records, answers = self.records_and_answers(out)
        self.assertEqual([record["cause"] for record in records], ["host-silent"] * 10)
        self.assertEqual(len(answers), 1)
        control = answers[0]["control"]
        self.assertEqual((control["network.peer.address"], control["host"]), ("10.99.8.1", "silent"))
        self.assertIn({"asked": "port", "port": 443, "answer": "silent"},
                      [{key: one.get(key) for key in ("asked", "port", "answer")} for one in control["asked"]])

    def test_what_was_asked_follows_its_record_unless_quiet(self):
        for options, hosts in (([], 4), (["-q"], 0), (["--no-control"], 0)):
            _, out, _ = self.probe("--json", "-w", 0.3, *options, "10.99.8.0/30", 81)
            records, answers = self.records_and_answers(out)
            self.assertEqual((len(records), len(answers)), (4, hosts))


class Resolver(ProberCase):
    """With an /etc/resolv.conf of its own."""
    resolv_conf = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = f"/tmp/tcpdiag-resolv-{os.getpid()}"
        with open(path, "w", encoding="ascii") as file:
            file.write(cls.resolv_conf)
        subprocess.run(["mount", "--bind", path, "/etc/resolv.conf"], check=True)
        os.unlink(path)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)


class Names(Resolver):
    """A name server that is never heard of again."""
    resolv_conf = "nameserver 10.99.0.53\noptions timeout:30 attempts:1\n"

    def asks(self, process):
        """Returns once a socket of the process's has asked the name server."""
        wanted = f"{socket.inet_aton('10.99.0.53')[::-1].hex().upper()}:0035"
        while True:
            with open("/proc/self/net/udp", encoding="ascii") as table:
                if any(wanted in line for line in table):
                    return
            self.assertIsNone(process.poll())

    def test_a_lookup_holds_up_nobody_else(self):
        process = self.begin("-q", "silent.example", 80, "127.0.0.2", 1)
        self.assertIn(b"127.0.0.2:1", process.stdout.readline())

    def test_interrupted(self):
        for options in ([], ["-n", 0], ["--wait"]):
            process = self.begin(*options, "silent.example", 80)
            self.asks(process)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
            self.assertEqual(process.returncode, -signal.SIGINT)
            self.assertOneLine(error.decode())

    def test_the_time_to_wait_is_over(self):
        status, out, error = self.probe("--wait=0.5", "silent.example", 80, limit=20)
        self.assertEqual((status, out), (3, ""))
        self.assertOneLine(error)
        self.assertIn("looked up", error)


class NoNameServer(Resolver):
    """Nothing listens where the name server should be."""
    resolv_conf = "nameserver 127.0.0.9\n"

    def test_json_has_each_servers_answers(self):
        status, out, _ = self.probe("--json", "db.example", 80)
        records, answers = self.records_and_answers(out)
        self.assertEqual((status, len(records), len(answers)), (3, 1, 1))
        dns = answers[0]["dns"]
        self.assertEqual(dns["why"], "all-unreachable")
        self.assertEqual([server["address"] for server in dns["servers"]], ["127.0.0.9"])
        self.assertEqual(dns["servers"][0]["root"], {"reply": "unreachable", "errno": "ECONNREFUSED"})


if __name__ == "__main__":
    enter()
    main()
