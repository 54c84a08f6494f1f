#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cells.py LIBRARY TCPDIAG PROBER: runs every client in every row under the library, inside the lab.

Prints a table of cells and exits 1 if one of them is wrong. A cell is right when each record of its
log holds against the schema, begins and ends match, and outcome, cause and the ICMP error's sender
are what rows.py says.
"""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections import namedtuple

import clients
import rows
from tests.schema import validate

Cell = namedtuple("Cell", "row client family recverr target")
AT_ONCE = 48  # most cells only wait
LIMIT = 60    # seconds; nothing in the lab takes ten

LIBRARY, REPORT, os.environ["TCPDIAG_PROBE"] = (os.path.abspath(path) for path in sys.argv[1:4])


def command_of(cell):
    command = cell.client.command(cell.target, cell.row.port)
    if cell.row.kind == "no-server":
        # In a mount namespace of its own, with a resolv.conf that names a closed port.
        return ["unshare", "-m", "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"', NO_SERVER, *command]
    return command


def run(cell, log):
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/",
                   "LD_PRELOAD": LIBRARY, "TCPDIAG_LOG": log,
                   "TCPDIAG_IPV6_RECVERR": "1" if cell.recverr else "0"}
    if is_prober(cell):
        with open(log, "wb") as out:
            return subprocess.run(command_of(cell), env={"PATH": os.environ["PATH"]}, stdout=out,
                                  stdin=subprocess.DEVNULL, timeout=LIMIT, check=False)
    return subprocess.run(command_of(cell), env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT,
                          check=False)


def is_prober(cell):
    return cell.client.name == clients.PROBER


def is_killed(cell):
    return cell.row.cause == "gave-up-waiting" and cell.client.name == "sh"


def said(done):
    return (done.stdout or b"").decode(errors="replace")


def reported(log):
    """What tcpdiag report makes of the log: [(outcome, cause, senders)]."""
    done = subprocess.run([REPORT, "report", "--json", log], stdout=subprocess.PIPE, check=False)
    return [(each["outcome"], each.get("cause", ""), each["icmp_from"])
            for each in json.loads(done.stdout)["failures"]]


def ended(cell, records):
    """The ends that are the row's own: [(outcome, cause, senders)]."""
    event = "resolve" if cell.row.kind != "connect" else "connect"
    found = []
    for record in records:
        if record["event"] != event or record["phase"] != "end":
            continue
        if event == "connect" and record["network.peer.address"] != cell.target:
            continue
        if event == "resolve" and record.get("server.address") != cell.row.address:
            continue
        sender = record.get("evidence", {}).get("icmp.from")
        found.append((record["outcome"], record.get("cause", ""), [sender] if sender else []))
    return found


def wrong_mode(cell, records):
    """A client that no longer connects as its column says makes another cell of it."""
    return cell.row.kind == "connect" and cell.client.blocking is not None and any(
        record.get("blocking", cell.client.blocking) != cell.client.blocking for record in records
        if record["event"] == "connect")


def judge(cell):
    """(mark, problems): the mark is "ok", a reason's letter, or "NO"."""
    with tempfile.TemporaryDirectory() as place:
        log = os.path.join(place, "log.jsonl")
        done = run(cell, log)
        if not os.path.exists(log):
            return "NO", ["no log: %s" % said(done)]
        problems = validate.problems_of_log(log, pairs=True, killed=["any"] if is_killed(cell) else [])
        with open(log, "rb") as file:
            records = [validate.parse(line) for line in file] if not problems else []
        got = reported(log) if is_killed(cell) else ended(cell, records)
    if problems:
        return "NO", problems
    if wrong_mode(cell, records):
        return "NO", ["%s connects in another way than its column says" % cell.client.name]
    blocking = all(record.get("blocking") for record in records if record["event"] == "connect")
    outcome, cause, senders, reason = rows.expected(
        cell.row, cell.family, blocking, cell.recverr or is_prober(cell))
    for each in got:
        if each[:2] != (outcome, cause):
            problems.append("%s / %s, not %s / %s" % (*each[:2], outcome, cause))
        if each[2] != senders[:1] and not (each[2] and each[2][0] in senders):
            problems.append("ICMP from %s, not %s" % (each[2], senders))
    if not got:
        problems.append("no end of this destination: %s" % said(done))
    works = cell.row.outcome in ("connected", "resolved")
    if works != (done.returncode == 0) and cell.client.name != "tn":
        problems.append("exit status %d: %s" % (done.returncode, said(done)))
    if problems:
        return "NO", problems
    return ("e" if is_killed(cell) else reason or "ok"), []


def applies(row, client):
    return row.cause != "bad-service" or client.name in clients.SERVICE_CLIENTS


def table(pool, title, all_rows, all_clients, family, recverr):
    cells = {(row, client.name): pool.submit(judge, Cell(row, client, family, recverr,
                                                         rows.address(row, family, which)))
             for row in all_rows for which, client in enumerate(all_clients, 1)
             if applies(row, client)}
    print("\n%-32s%s" % (title, " ".join("%-2s" % client.name for client in all_clients)))
    marks, complaints = [], []
    for row in all_rows:
        line = "%-32s" % row.title
        for client in all_clients:
            future = cells.get((row, client.name))
            mark, problems = future.result() if future else ("-", [])
            marks.append(mark)
            complaints += ["WRONG: %s, %s, IPv%d: %s" % (row.title, client.name, family, problem)
                           for problem in problems]
            line += "%-3s" % mark
        print(line.rstrip(), flush=True)
    for complaint in complaints:
        print(complaint)
    return marks


def tables():
    """(title, rows, clients, family, TCPDIAG_IPV6_RECVERR)"""
    everybody = clients.CLIENTS
    yield "IPv4", rows.ROWS, everybody, 4, False
    yield "IPv4, clients with a limit", rows.IMPATIENT, clients.IMPATIENT, 4, False
    yield "Names", rows.NAMES, everybody, 4, False
    yield "IPv6", rows.ROWS, everybody, 6, False
    yield "IPv6, IPV6_RECVERR", rows.ROWS, everybody, 6, True
    if not os.path.exists("/run/lab/wire"):
        print("\nSKIPPED: there is no TUN device here, so nothing is tried over a link that takes time")
        return
    yield "IPv4, over 5 ms", rows.WIRE, everybody, 4, False
    yield "IPv6, over 5 ms", rows.WIRE, everybody, 6, False
    yield "IPv6, IPV6_RECVERR, over 5 ms", rows.WIRE, everybody, 6, True


def main():
    lacking = {client for client in ("curl", "wget", "nc", "telnet", "bash", "python3", "node")
               if not shutil.which(client)}
    if lacking:
        print("lab: not installed: %s (tools/packages lists them)" % ", ".join(sorted(lacking)))
        return 1
    marks = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for title, *what in tables():
            marks += table(pool, title, *what)
    print()
    print(textwrap.fill(clients.LEGEND, 80))
    print("\nok  outcome, cause and sender are the truth")
    for letter, why in rows.WHY.items():
        if letter in marks:
            print(textwrap.fill("%-3s the most that can be said: %s" % (letter, why), 80,
                                subsequent_indent="    "))
    right = marks.count("ok")
    wrong = marks.count("NO")
    weaker = len(marks) - right - wrong - marks.count("-")
    print("\n%d cells: %d right, %d right with the most that can be said, %d wrong"
          % (right + wrong + weaker, right, weaker, wrong))
    return wrong > 0


NO_SERVER = "/run/lab/no-server.conf"
with open(NO_SERVER, "w", encoding="utf-8") as conf:
    conf.write("nameserver 10.0.1.2\noptions timeout:1 attempts:1\n")
sys.exit(main())
