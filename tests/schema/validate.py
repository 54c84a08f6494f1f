#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds logs against docs/log.schema.json: validate.py [--pairs [--killed PID|any]...] LOG...

Prints each bad line and exits 1 if there is one; 2 where a log cannot be read. LOG - is standard
input. Beyond the schema: a line is one JSON object in UTF-8 without a key twice, and has at most
4096 bytes with its newline, which it must have.

--pairs     also: an attempt has at most one begin, which comes first, and exactly one end; both
            are of the same event and destination
--killed    this process (or any) may leave attempts without an end, and halves of records in front of
            others' records: it was killed

Tests import problems_of_line, parts_of_line, problems_of_log and problems_of_pairs.
"""
import argparse
import json
import os
import sys

import jsonschema

LINE_MAX = 4096  # TCPDIAG_RECORD_MAX in shim/diagnosis/record.h
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/log.schema.json")
MARK = b'{"time":"'  # begins each record, and stands nowhere else: in a string the quotes are escaped
SAME_IN_BOTH = ("event", "network.peer.address", "network.peer.port", "service")


def load_validator(path=SCHEMA):
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALIDATOR = load_validator()


def object_without_repetition(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def no_constant(name):
    raise ValueError("%s is no JSON" % name)


def parse(line):
    """The record in a line (bytes, with its newline); ValueError says why there is none."""
    if not line.endswith(b"\n"):
        raise ValueError("no newline at the end: half a line")
    if b"\n" in line[:-1]:
        raise ValueError("more than one line")
    if len(line) > LINE_MAX:
        raise ValueError("%d bytes, more than %d" % (len(line), LINE_MAX))
    return json.loads(line.decode("utf-8"), object_pairs_hook=object_without_repetition,
                      parse_constant=no_constant)


def problems_of_record(record):
    return ["%s: %s" % ("/".join(map(str, error.absolute_path)) or "record", error.message)
            for error in VALIDATOR.iter_errors(record)]


def problems_of_line(line):
    """What is wrong with one line of a log (bytes, with its newline): a list of strings."""
    try:
        record = parse(line)
    except ValueError as error:
        return [str(error)]
    return problems_of_record(record)


def is_half(piece):
    try:
        json.loads(piece.decode("utf-8", "replace"))  # it may be torn within a character
    except json.JSONDecodeError:
        return True
    return False


def parts_of_line(line):
    """What stands in a line (bytes, with its newline): its records; the halves of records (bytes)
    that killed writers have left in front of them or at its end; what is wrong besides."""
    first, *others = line.split(MARK)
    records, halves, problems = [], [], []
    if not others or (first and not MARK.startswith(first)):
        try:
            return [parse(line)], [], []
        except ValueError as error:
            if MARK.startswith(line.rstrip(b"\n")) and line != b"\n":
                return [], [line], []
            problems.append(str(error))
    elif first:
        halves.append(first)
    for piece in (MARK + rest for rest in others):
        try:
            records.append(parse(piece if piece.endswith(b"\n") else piece + b"\n"))
        except ValueError as error:
            if is_half(piece):
                halves.append(piece)
            else:
                problems.append(str(error))
    return records, halves, problems


def problems_of_pairs(records, killed=()):
    """What is wrong with the order of records, given as (place, record) in the log's order."""
    problems = []
    attempts = {}
    for place, record in records:
        # A child of fork counts on from its parent's numbers: the pid belongs to the key.
        key = (record.get("host.name"), record["process.pid"], record["attempt"])
        begin, end = attempts.get(key, (None, None))
        if record["phase"] == "begin":
            if begin:
                problems.append("%s: attempt %s begins a second time" % (place, record["attempt"]))
            if end:
                problems.append("%s: attempt %s begins after its end" % (place, record["attempt"]))
            begin = (place, record)
        else:
            if end:
                problems.append("%s: attempt %s ends a second time" % (place, record["attempt"]))
            end = (place, record)
        if begin and end:
            problems += ["%s: %s differs from the begin's" % (place, field) for field in SAME_IN_BOTH
                         if begin[1].get(field) != end[1].get(field)]
        attempts[key] = (begin, end)
    for (_, pid, attempt), (begin, end) in attempts.items():
        if not end and "any" not in killed and str(pid) not in killed:
            problems.append("%s: attempt %s of process %d has no end" % (begin[0], attempt, pid))
    return problems


def problems_of_log(path, pairs=False, killed=()):
    """What is wrong with a log: a list of strings that begin with path and line."""
    problems, records = [], []
    with (sys.stdin.buffer if path == "-" else open(path, "rb")) as file:
        for number, line in enumerate(file, 1):
            place = "%s:%d" % (path, number)
            whole, halves, bad = parts_of_line(line)
            if not killed and not bad and (halves or len(whole) > 1 or not line.endswith(b"\n")):
                bad.append("a record is torn: %r" % line[:80])
            for record in whole:
                wrong = problems_of_record(record)
                bad += wrong
                if pairs and not wrong:
                    records.append((place, record))
            problems += ["%s: %s" % (place, problem) for problem in bad]
    return problems + problems_of_pairs(records, killed)


def main():
    parser = argparse.ArgumentParser(description="Holds logs against docs/log.schema.json.")
    parser.add_argument("--pairs", action="store_true", help="also check that begins and ends match")
    parser.add_argument("--killed", action="append", default=[], metavar="PID",
                        help="a process that may leave attempts open; any: every process")
    parser.add_argument("logs", nargs="+", metavar="LOG")
    arguments = parser.parse_args()
    status = 0
    for path in arguments.logs:
        try:
            problems = problems_of_log(path, arguments.pairs, arguments.killed)
        except OSError as error:
            print("validate: %s: %s" % (path, error.strerror), file=sys.stderr)
            return 2
        for problem in problems:
            print(problem)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
