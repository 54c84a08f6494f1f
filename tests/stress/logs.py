# SPDX-License-Identifier: MIT
"""Logs whose writers were killed, or had no space, in the middle of a line."""
import json
import os
import subprocess

LINKED_IN = os.environ.get("TCPDIAG_HOOKS_LINKED_IN") == "1"  # a sanitizer build
SHIM = os.path.abspath(os.environ.get("TCPDIAG_TEST_LIBRARY", "shim/libtcpdiag.so"))
LINE_MAX = 4096  # TCPDIAG_RECORD_MAX in shim/diagnosis/record.h
START = b'{"time":"'  # of a record; it cannot stand inside one, whose quotes are escaped


def environment(log):
    here = {"PATH": os.environ["PATH"], "TCPDIAG_LOG": log}
    return here if LINKED_IN else {**here, "LD_PRELOAD": SHIM}


def program(name):
    return os.path.abspath("tests/stress/" + name)


def may_unshare(*options):
    """Whether this machine lets a user have namespaces of his own."""
    return subprocess.run(["unshare", *options, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def whole(line):
    """The record; not by validate.parse, which is three times as slow and would have to look at
    millions of them."""
    try:
        return json.loads(line) if line.endswith(b"\n") and len(line) <= LINE_MAX else None
    except ValueError:
        return None


class Log:
    """Reads a log, record by record, and counts what is no record."""

    def __init__(self, path):
        self.path = path
        self.records = self.lost = 0
        self.torn = 0  # beginnings of records
        self.glued = 0  # records that stand behind one
        self.empty = 0  # lines
        self.problems = []

    def __iter__(self):
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                record = self.record_of(line)
                if record:
                    self.records += 1
                    self.lost += record.get("lost", 0)
                    yield "line %d" % number, record

    def record_of(self, line):
        if line == b"\n":
            self.empty += 1
            return None
        record = whole(line)
        if record:
            return record
        at = max(line.rfind(START), 0)
        record = whole(line[at:])
        if not record:
            self.torn += self.parts(line)
            return None
        self.torn += self.parts(line[:at])
        self.glued += 1
        return record

    @staticmethod
    def parts(torn):
        return torn.count(START) + (not torn.startswith(START))
