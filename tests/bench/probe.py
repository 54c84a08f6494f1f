#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How fast tcpdiag-probe goes through many targets, beside its peers, in one run.

Two scenes: 10,000 ports of loopback, ten of them open; 2,000 addresses behind an interface that
swallows what it is given, one second each. Both in a network namespace of this run's own, so no
packet leaves the machine. Each round runs every tool, in an order shuffled anew; the table has
medians. The share is of the minimal loop's rate: what a scan costs at the least.
"""
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

ROUNDS = int(os.environ.get("ROUNDS", "7"))
PORTS, FIRST_PORT = 10000, 20000  # below net.ipv4.ip_local_port_range: no connect meets itself
SILENT, FIRST_SILENT = 2000, "10.99.8.0"
# nc goes through silent targets one after the other: some are enough to know.
NC_SILENT = 3
OPEN = [FIRST_PORT + i * 1000 + 7 for i in range(10)]


def loopback(probe, loop, script):
    """(name, command, targets) of the tools that are here"""
    ports = f"{FIRST_PORT}-{FIRST_PORT + PORTS - 1}"
    yield "minimal epoll loop", [loop, "127.0.0.1", "1", str(FIRST_PORT), str(PORTS), "1000",
                                 "4096"], PORTS
    yield "tcpdiag-probe", [probe, "127.0.0.1", ports], PORTS
    yield "tcpdiag-probe --json", [probe, "--json", "127.0.0.1", ports], PORTS
    yield "tcpdiag-probe --ordered", [probe, "--ordered", "127.0.0.1", ports], PORTS
    yield "nc -z", ["nc", "-v", "-z", "-n", "-w", "1", "127.0.0.1", ports], PORTS
    yield "nmap -sT", ["nmap", "-sT", "-n", "-Pn", "-T5", "--max-retries", "0", "--min-parallelism",
                       "1000", "-p", ports, "127.0.0.1"], PORTS
    # With more at once its own time limit runs out before it looks at the answers.
    yield "Python asyncio", [sys.executable, script, "127.0.0.1", "1", str(FIRST_PORT), str(PORTS),
                             "1", "256"], PORTS


def silent(probe, loop, script, targets):
    yield "minimal epoll loop", [loop, FIRST_SILENT, str(SILENT), "81", "1", "1000", "4096"], SILENT
    yield "tcpdiag-probe", [probe, "--no-control", "-w", "1", "-f", targets], SILENT
    yield "nc -z", ["nc", "-z", "-n", "-w", "1", FIRST_SILENT, f"81-{80 + NC_SILENT}"], NC_SILENT
    yield "nmap -sT", ["nmap", "-sT", "-n", "-Pn", "-T5", "--max-retries", "0",
                       "--initial-rtt-timeout", "1s", "--max-rtt-timeout", "1s", "--min-hostgroup",
                       str(SILENT), "--min-parallelism", "1000", "-p", "81", "-iL", targets], SILENT
    yield "Python asyncio", [sys.executable, script, FIRST_SILENT, str(SILENT), "81", "1", "1",
                             "4096"], SILENT


def run(peak, command):
    """(seconds, peak KiB, output)"""
    with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile("r") as figures:
        subprocess.run([peak, figures.name, *command], stdin=subprocess.DEVNULL, stdout=out,
                       stderr=subprocess.STDOUT, check=True)
        seconds, kib = figures.read().split()
        out.seek(0)
        return float(seconds), int(kib), out.read().decode(errors="replace")


def check(name, output, ports):
    """Who is fast because it misses ports is no peer."""
    for port in ports:
        if not any(str(port) in line and ("connected" in line or "succeeded" in line or
                                          "open" in line) for line in output.splitlines()):
            sys.exit(f"{name} did not find the open port {port}:\n{output[-2000:]}")


def scene(title, tools, ports, rounds, peak):
    tools = list(tools)
    for name, command, _ in list(tools):
        if not shutil.which(command[0]):
            print(f"left out: {name} (not here)")
            tools = [tool for tool in tools if tool[0] != name]
    figures = {name: [] for name, _, _ in tools}
    for number in range(rounds + 1):
        random.shuffle(tools)
        for name, command, _ in tools:
            seconds, kib, output = run(peak, command)
            check(name, output, ports)
            if number > 0:  # the first round warms up
                figures[name].append((seconds, kib))
    targets = {name: count for name, _, count in tools}
    rates = {name: targets[name] / statistics.median(s for s, _ in rows)
             for name, rows in figures.items()}
    print(f"\n{title}\n")
    print(f"{'':26}{'targets':>8}{'seconds':>9}{'targets/s':>11}{'share':>7}{'peak MiB':>10}")
    for name in sorted(rates, key=rates.get, reverse=True):
        print(f"{name:26}{targets[name]:8}{statistics.median(s for s, _ in figures[name]):9.3f}"
              f"{rates[name]:11.0f}{rates[name] / rates['minimal epoll loop']:7.2f}"
              f"{max(kib for _, kib in figures[name]) / 1024:10.1f}")


def own_network():
    """Root in a user namespace of its own, with loopback and an interface that leads nowhere."""
    if os.environ.get("TCPDIAG_BENCH_INSIDE"):
        # Without ARP the packets are sent to nobody's address, and the other end drops them.
        for command in ("ip link set lo up", "ip link add nowhere type veth peer name end",
                        "ip link set nowhere arp off", "ip addr add 10.99.0.1/16 dev nowhere",
                        "ip link set end up", "ip link set nowhere up"):
            subprocess.run(command.split(), check=True)
        return
    os.environ["TCPDIAG_BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-Urnm", sys.executable, *sys.argv])


def main():
    own_network()
    probe, loop, peak, script = (os.path.abspath(path) for path in sys.argv[1:5])
    listeners = [socket.create_server(("127.0.0.1", port), backlog=4096) for port in OPEN]
    scene(f"{PORTS:,} ports of loopback, {len(OPEN)} open", loopback(probe, loop, script), OPEN,
          ROUNDS, peak)
    for listener in listeners:
        listener.close()
    with tempfile.NamedTemporaryFile("w", suffix=".targets") as targets:
        for i in range(SILENT):
            targets.write(f"10.99.{8 + i // 256}.{i % 256} 81\n")
        targets.flush()
        with tempfile.NamedTemporaryFile("w", suffix=".hosts") as hosts:
            for i in range(SILENT):
                hosts.write(f"10.99.{8 + i // 256}.{i % 256}\n")
            hosts.flush()
            tools = [(name, [hosts.name if name == "nmap -sT" and word == targets.name else word
                             for word in command], count)
                     for name, command, count in silent(probe, loop, script, targets.name)]
            scene(f"{SILENT:,} silent addresses, a limit of one second", tools, [],
                  max(1, ROUNDS // 3), peak)


main()
