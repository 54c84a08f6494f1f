#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which of the lab's ground truths each tool tells apart, by its output or its exit status.

compare.py [--write PAGE] [--only TOOL]... [--ours] [--at-least N]: runs inside the lab, as the root of its
namespaces. Every tool is asked about every row, twice. What is left of an answer when the target's
own address and port, times and the tool's banner are taken out is its signature. Rows with the same
signature are told apart by nothing that the tool says: they are one class. The rows whose two
answers differ are one class too, so that chance never counts as knowledge.
"""
import argparse
import collections
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, "tests/lab")
import rows  # noqa: E402

LIMIT = 4  # seconds for a connect: longer than ARP takes to give up

# One row of each kind that docs/kernel-facts.md tells apart in its table: the 19.
KINDS = [
    "listening port", "closed port", "host: reject with tcp reset", "router: reject with tcp reset",
    "host: reject port-unreachable", "router: reject port-unreachable",
    "host: reject admin-prohibited", "router: reject admin-prohibited",
    "host: reject host-unreachable", "router: reject host-unreachable",
    "routing loop", "absent host on the link", "own firewall: port-unreachable",
    "own prohibit route", "own unreachable route", "own blackhole route", "no route at all",
    "host: drop", "router: drop",
]

PYTHON = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), %d)" % LIMIT

Tool = collections.namedtuple("Tool", "name argv root note", defaults=(False, ""))
TOOLS = [
    Tool("bash", lambda h, p: ["timeout", str(LIMIT), "bash", "-c", "</dev/tcp/%s/%s" % (h, p)],
         note="`timeout %d bash -c '</dev/tcp/HOST/PORT'`" % LIMIT),
    Tool("telnet", lambda h, p: ["timeout", str(LIMIT), "telnet", h, p],
         note="`timeout %d telnet HOST PORT`" % LIMIT),
    Tool("nc", lambda h, p: ["nc", "-vz", "-w", str(LIMIT), h, p],
         note="netcat-openbsd, `nc -vz -w %d HOST PORT`" % LIMIT),
    Tool("ncat", lambda h, p: ["ncat", "-vz", "-w", str(LIMIT), h, p],
         note="`ncat -vz -w %d HOST PORT`" % LIMIT),
    Tool("Python", lambda h, p: [sys.executable, "-c", PYTHON, h, p],
         note="`socket.create_connection((HOST, PORT), %d)`" % LIMIT),
    Tool("curl", lambda h, p: ["curl", "-sS", "--connect-timeout", str(LIMIT),
                               "http://%s:%s/" % (h, p)],
         note="`curl -sS --connect-timeout %d http://HOST:PORT/`" % LIMIT),
    Tool("nmap", lambda h, p: ["nmap", "-sT", "-Pn", "-n", "--reason", "-p", p, h],
         note="`nmap -sT -Pn -n --reason -p PORT HOST`"),
    Tool("traceroute", lambda h, p: ["traceroute", "-T", "-n", "-q", "1", "-w", "1", "-m", "5",
                                     "-p", p, h],
         root=True, note="`traceroute -T -n -q 1 -w 1 -m 5 -p PORT HOST`"),
    Tool("tcptraceroute", lambda h, p: ["tcptraceroute", "-n", "-q", "1", "-w", "1", "-m", "5", h, p],
         root=True, note="`tcptraceroute -n -q 1 -w 1 -m 5 HOST PORT`"),
    Tool("tcpdiag-probe", lambda h, p: [PROBE, "-w", str(LIMIT), h, p],
         note="`tcpdiag-probe -w %d HOST PORT`" % LIMIT),
    Tool("tcpdiag-probe --trace", lambda h, p: [PROBE, "--trace", "-w", str(LIMIT), h, p],
         note="`tcpdiag-probe --trace -w %d HOST PORT`" % LIMIT),
]
PROBE = os.path.abspath("probe/tcpdiag-probe")
OURS = "tcpdiag-probe --trace"

# Why the prober cannot tell these apart: (titles, reason). A pair that is told apart by nothing and
# has no reason here fails the run.
REASONS = [
    ({"closed port", "host: reject with tcp reset"},
     "the host itself sends the same reset, byte for byte, whether nothing listens or its own rule "
     "resets"),
    ({"host: drop", "router: drop", "accept queue full", "router: blackhole route"},
     "a silence has no sender. `--trace` names the last hop that answers, and a control port the "
     "next one; between a router that swallows behind its own answer and the host after it no "
     "packet tells"),
    ({"router: prohibit route", "router: reject admin-prohibited"},
     "the router sends the same ICMP message for its route and for its rule"),
    ({"router: unreachable route", "router: reject host-unreachable",
      "absent host behind the router"},
     "the router sends the same ICMP message whether its route, its rule or its neighbour discovery "
     "says so"),
    ({"router: prohibit route", "router: unreachable route", "own firewall: admin-prohibited",
      "own firewall: host-unreachable", "own firewall: port-unreachable"},
     "the answers vary from one time to the next: a router limits how often it says that it has no "
     "route, and an error of this machine's own may meet the connect inside the system call, where "
     "it is lost until the next SYN"),
    ({"own firewall: tcp reset", "closed port", "host: reject with tcp reset"},
     "a reset has no sender of its own"),
]


def signature(row, tool):
    host, port = rows.address(row, 4), str(row.port)
    argv = tool.argv(host, port)
    if argv[0] != PROBE and not shutil.which(argv[0]):
        raise FileNotFoundError(argv[0])
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120)
    text = done.stdout.decode("utf-8", "replace")
    text = re.sub(r"\b%s\b" % re.escape(host), "HOST", text)
    text = re.sub(r"\bport %s\b|(?<=HOST[:/])%s\b|\b%s(?=/)" % (port, port, port), "PORT", text)
    text = re.sub(r"(?<![\d.])(\d+\.\d+|\*)(?![\d.])|\d+ ?(?=(ms|s|seconds?)\b)", "TIME", text)
    text = re.sub(r"(TIME *)+", "TIME ", text)
    text = re.sub(r"(?m)^(Starting Nmap|Ncat: Version|Selected device|Tracing the path).*$", "", text)
    text = re.sub(r"(?m)^(traceroute to .*|Nmap done.*|.*hops max.*)$", "", text)
    text = re.sub(r"\d+ SYNs? resent|;\s+SYN\s+sent\s+again\s+\d+\s+times?", "", text)
    # Names of services say only which port was asked.
    text = re.sub(r"(?m)^(PORT/tcp +\S+) +\S+", r"\1", text)
    text = re.sub(r"\(http\)|\[tcp/\S+\]|\(tcp\)", "", text)
    return done.returncode, " ".join(text.split())


def classes(answers):
    """answers: {title: [signature, ...]} -> the sets of titles that share a signature."""
    by_signature = collections.defaultdict(set)
    for title, several in answers.items():
        by_signature[several[0] if len(set(several)) == 1 else "varies"].add(title)
    return list(by_signature.values())


def ask(tool, pool, asked):
    jobs = {row.title: [pool.submit(signature, row, tool) for _ in range(2)] for row in asked}
    return {title: [job.result() for job in several] for title, several in jobs.items()}


def reason(titles):
    return [why for known, why in REASONS if titles <= known]


def merged_text(groups):
    order = [row.title for row in rows.ROWS]
    text = []
    for titles in groups:
        why = reason(titles)
        listed = ", ".join(sorted(titles, key=order.index))
        text.append("- %s: %s." % (listed, why[0] if why else "?"))
    return text


def said(answer):
    """The outcome and the cause in the prober's own line."""
    words = re.match(r"HOST:PORT (\S+)(?: (\S+))? TIME", answer[1]).groups()
    return " / ".join("`%s`" % word for word in words if word)


def page(results, missing):
    total = len(rows.ROWS)
    out = [
        "<!-- SPDX-License-Identifier: MIT -->",
        "<!-- Written by `bazel run //tests/comparison`; change tests/comparison/compare.py. -->",
        "# What each tool tells apart",
        "",
        "In the lab's network (tests/lab) a connect can fail in %d ways; with two ways to succeed these are"
        % (total - 2),
        "the %d rows. tests/comparison asks every tool about every row over IPv4, twice, with %d seconds for a"
        % (total, LIMIT),
        "connect, and removes from the answer the target's own address and port, times and banners. Two rows",
        "whose remaining answer and exit status are equal are one class. *Of all %d* is the number of classes"
        % total,
        "among all rows. *Of 19* is the number of classes among 19 rows of different kinds: a tool that tells",
        "every kind from every other reaches 19.",
        "",
        "| tool | as | privileges | of 19 | of all %d |" % total,
        "|---|---|---|---|---|",
    ]
    for tool in TOOLS:
        if tool.name in results:
            few, all_, _ = results[tool.name]
            out.append("| %s | %s | %s | %d | %d |" % (
                tool.name, tool.note, "raw sockets: root of the namespace" if tool.root else "none",
                len(few), len(all_)))
    if missing:
        out += ["", "Not installed where this was written: %s." % ", ".join(missing)]
    few, all_, answers = results[OURS]
    out += ["", "## What the prober cannot tell, and why", ""]
    out += merged_text([one for one in all_ if len(one) > 1])
    out += ["", "## The 19", ""]
    out += ["| row | what `%s` says |" % OURS, "|---|---|"]
    for title in KINDS:
        alone = next(one for one in few if title in one)
        other = ", ".join(sorted(alone - {title}))
        out.append("| %s | %s%s |" % (title, said(answers[title][0]), "; as " + other if other else ""))
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write")
    parser.add_argument("--only", action="append")
    parser.add_argument("--ours", dest="only", action="store_const", const=[OURS])
    parser.add_argument("--at-least", type=int, default=16)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    results, missing = {}, []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for tool in TOOLS:
            if options.only and tool.name not in options.only:
                continue
            try:
                answers = ask(tool, pool, rows.ROWS)
            except FileNotFoundError:
                missing.append(tool.name)
                continue
            few = classes({title: answers[title] for title in KINDS})
            results[tool.name] = few, classes(answers), answers
            print("%-22s %2d of %d kinds, %2d of all %d rows" % (
                tool.name, len(few), len(KINDS), len(results[tool.name][1]), len(rows.ROWS)),
                flush=True)
            if options.show:
                for title, several in answers.items():
                    for one in sorted(set(several)):
                        print("    %s: %s" % (title, one))
    for name in missing:
        print("%-22s not installed: left out" % name)
    status = 0
    if OURS in results:
        few, all_, _ = results[OURS]
        for titles in few + all_:
            if len(titles) > 1 and not reason(titles):
                print("WRONG: nothing explains why the prober cannot tell apart: %s"
                      % ", ".join(sorted(titles)))
                status = 1
        if len(few) < options.at_least:
            print("WRONG: the prober tells %d kinds, fewer than %d" % (len(few), options.at_least))
            status = 1
    if options.write and status == 0:
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(page(results, missing))
    return status


if __name__ == "__main__":  # an import must not send anything
    sys.exit(main())
