#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs each program of the catalogue bare and under the shim and compares what it prints, how it
ends, which descriptors it has open at its end and which calls on sockets and processes it makes.

What differs between two bare runs as well is the program's own ("varies"). A program that is not
installed is skipped, said and counted. tests/programs/run installs them all.

programs_test.py [--calls] [--table FILE] [--only TEXT]
--calls  also compares the calls, by strace; takes three times as long
"""
import argparse
import collections
import glob
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path[:0] = [os.path.join(os.getcwd(), "tests/programs"), os.path.join(os.getcwd(), "tests/schema")]
from catalogue import PROGRAMS  # noqa: E402  # pylint: disable=wrong-import-position
import validate  # noqa: E402  # pylint: disable=wrong-import-position

WITNESS = os.path.abspath("tests/programs/witness")
SECONDS = 30
ASPECTS = ("status", "output", "descriptors", "calls")
# Not the calls that the shim makes of its own: those on its log and those that ask a socket.
TRACED = ("socket,connect,bind,listen,accept,accept4,shutdown,sendto,sendmsg,recvfrom,recvmsg,execve,fork,vfork,"
          "chroot,setresuid,setuid,dup,dup2,dup3,pipe,pipe2,setsockopt,kill,chdir,unlink,rename,mkdir")


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"hello\n")

    def log_message(self, *_):
        pass


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that resets its connection is none."""


class World:
    """A port with a server behind it, one that stays closed, and two that are free; and the library,
    where every user can read it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tcpdiag-library-")
        os.chmod(self.folder.name, 0o755)
        self.shim = shutil.copy("shim/libtcpdiag.so", self.folder.name)
        self.server = Server(("127.0.0.1", 0), Hello)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.closed = socket.socket()
        self.closed.bind(("127.0.0.1", 0))
        self.port, self.port2 = free_ports(2)

    def environment(self):
        return {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8",
                "GOOD": str(self.server.server_address[1]), "BAD": str(self.closed.getsockname()[1]),
                "PORT": str(self.port), "PORT2": str(self.port2)}


def normalized(text, folder):
    """Without what differs from run to run of any program: its folder, process numbers, times, addresses."""
    text = text.replace(folder, "FOLDER")
    text = re.sub(r"\d\d:\d\d:\d\d(\.\d+)?|\d{4}-\d\d-\d\d", "TIME", text)
    return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", re.sub(r"\b\d{4,}\b", "NUMBER", text))


def descriptors(path, log):
    """What was open, without the log and without the numbers of pipes and sockets."""
    found = []
    for line in open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []:
        name, number, target = (line.rsplit(" ", 2) + ["", ""])[:3]
        if target != log:
            found.append(" ".join([name, number, re.sub(r"\[.*\]|/tmp/.*", "", target)]))
    return "\n".join(sorted(found))


def calls(path):
    """How often each call was made with which result, in all processes. The shim's own calls among
    the traced ones are known by MSG_ERRQUEUE and by the log's name."""
    counts = collections.Counter()
    begun = {}  # strace writes a call in two halves where another thread's comes in between
    for line in open(path, encoding="utf-8", errors="replace") if os.path.exists(path) else []:
        task, _, rest = line.partition(" ")
        if rest.rstrip().endswith("<unfinished ...>"):
            begun[task] = rest
            continue
        made = re.match(r" *(?:<\.\.\. )?(\w+)(?:\(| resumed>).*\) += (-1 (E\w+)|\d+|\?)", rest)
        whole = begun.pop(task, "") + rest if " resumed>" in rest else rest
        if made and "MSG_ERRQUEUE" not in whole and "tcpdiag" not in whole:
            counts[made.group(1) + (" " + made.group(3) if made.group(3) else "")] += 1
    return "\n".join("%s %d" % each for each in sorted(counts.items()))


def preload(program, shim):
    theirs, order = program.preload or (None, None)
    return ":".join(each for each in ((theirs, shim) if order == "before" else (shim, theirs)) if each)


def run(program, world, shimmed, traced):
    """What was seen, by aspect, and the number of records."""
    with tempfile.TemporaryDirectory(prefix="tcpdiag-programs-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        inside = os.path.join(folder, "in")
        os.mkdir(inside)
        log, seen = os.path.join(folder, "log.jsonl"), os.path.join(folder, "seen")
        libraries = preload(program, world.shim if shimmed else None)
        environment = {**world.environment(), "TCPDIAG_LOG": log, "WITNESS_PRELOAD": libraries}
        command = [WITNESS, seen, "sh", "-c", program.script]
        if traced:
            del environment["WITNESS_PRELOAD"]
            command = ["strace", "-f", "-qq", "-e", "trace=" + TRACED, "-e", "signal=none", "-o", seen,
                       "-E", "LD_PRELOAD=" + libraries, "sh", "-c", program.script]
        try:
            done = subprocess.run(command, cwd=inside, env=environment, stdin=subprocess.DEVNULL, timeout=SECONDS,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            status, output = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired:
            status, output = "no end", ""
        if traced:
            return {"calls": calls(seen)}, 0
        records, bad = look_at_log(log)
        return {"status": str(status), "output": normalized(output, folder), "log": bad,
                "descriptors": descriptors(seen, log)}, records


def look_at_log(log):
    if not os.path.exists(log):
        return 0, ""
    with open(log, "rb") as lines:
        lines = lines.readlines()
    bad = [problem for line in lines[:200] for problem in validate.problems_of_line(line)]
    return len(lines), "\n".join(bad)


def missing(program):
    extra = glob.glob("/usr/lib/postgresql/*/bin") + ["/usr/sbin", "/sbin"]
    path = os.pathsep.join([os.environ["PATH"], *extra])
    return [each for each in program.needs.split() if not shutil.which(each, path=path) and not os.path.exists(each)]


def compare(program, world, traced):
    """{aspect: "same", "varies" or what differs}, and the number of records."""
    bare, _ = run(program, world, False, traced)
    shimmed, records = run(program, world, True, traced)
    verdict = {}
    for aspect in bare:
        if shimmed[aspect] == bare[aspect]:
            verdict[aspect] = "same"
            continue
        # Perhaps it is the program: each way is run again until its results are known.
        bare_ones, shimmed_ones = [bare[aspect]], [shimmed[aspect]]
        for _ in range(4):
            bare_ones.append(run(program, world, False, traced)[0][aspect])
            shimmed_ones.append(run(program, world, True, traced)[0][aspect])
            if set(bare_ones) & set(shimmed_ones):
                break
        varies = set(bare_ones) & set(shimmed_ones) or len(set(bare_ones)) > 1 and len(set(shimmed_ones)) > 1
        verdict[aspect] = "varies" if varies else "bare: %r shimmed: %r" % (bare_ones[0], shimmed_ones[0])
    return verdict, bare.get("status"), records


def table(rows):
    lines = ["| program | kind | exit status | output | descriptors at its end | calls | records |", "|---|---|---|---|---|---|---|"]
    for program, verdict, status, records in rows:
        cells = [verdict.get(aspect, "-") for aspect in ASPECTS]
        cells = [cell if cell in ("same", "varies", "-") else "**not**" for cell in cells]
        cells[0] += " (%s)" % status
        lines.append("| %s | %s | %s | %d |" % (program.name, program.kind, " | ".join(cells), records))
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--table", metavar="FILE")
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--skip", metavar="WHY")
    arguments = parser.parse_args()
    if arguments.skip:
        print("SKIPPED: %s" % arguments.skip)
        return 0
    world, rows, skipped, wrong = World(), [], [], []
    for program in PROGRAMS:
        if arguments.only not in program.name:
            continue
        lacks = missing(program)
        if lacks:
            skipped.append(program.name)
            print("SKIPPED: %s: not installed: %s" % (program.name, " ".join(lacks)))
            continue
        verdict, status, records = compare(program, world, False)
        if arguments.calls:
            verdict.update(compare(program, world, True)[0])
        rows.append((program, verdict, status, records))
        if any(each not in ("same", "varies") for each in verdict.values()):
            wrong.append(program.name)
        print("%-32s %s, %d records" % (program.name, json.dumps(verdict), records), flush=True)
    lines = table(rows)
    summary = "%d programs compared, %d differ, %d skipped" % (len(rows), len(wrong), len(skipped))
    print("\n".join([*lines, "", summary]))
    if arguments.table:
        with open(arguments.table, "w", encoding="utf-8") as out:
            out.write(PREFACE + "\n".join(lines) + "\n\n" + summary + ".\n")
    return 1 if wrong else 0


PREFACE = """<!-- SPDX-License-Identifier: MIT -->
# Programs, bare and under the shim

Written by `tests/programs/run`, which says what it does. Each program is run bare and with
`LD_PRELOAD=libtcpdiag.so`, on loopback, with a server that answers, a port that is closed and, for the servers, clients
of their own. *same*: no difference, but for process numbers, times and addresses. *varies*: the program's own
runs differ from each other in this, bare as well. *calls*: how often each call on sockets and processes was made, in all
processes, and how it ended; the calls that the library makes of its own are left out. No records: the log
could not be opened by the user that the program had become, Go's own resolver and connect pass libc by, and
with torsocks in front its calls did not reach the library.

A program built with gcc's `-fsanitize=address` ends at once where another library comes before the sanitizer's
runtime ("ASan runtime does not come first in initial library list"). `tcpdiag run` adds
`verify_asan_link_order=0` to its `ASAN_OPTIONS`; with `LD_PRELOAD` alone say so yourself, or name the runtime first:

    ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=libtcpdiag.so ./program
    LD_PRELOAD=$(gcc -print-file-name=libasan.so):libtcpdiag.so ./program

"""

if __name__ == "__main__":
    sys.exit(main())
