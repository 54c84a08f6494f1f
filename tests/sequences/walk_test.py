#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random sequences of socket calls, bare and under the library: the program must see the same.

walk_test.py [--first SEED] [--seeds COUNT] [--operations COUNT] [--kinds KIND,...] [--show COUNT]
             [--script FILE]

Without arguments: the scripts that once differed (tests/sequences/scripts) and a thousand seeds.
--script -  plays one script of standard input, and shortens it where it differs

A seed that differs is made as short as it gets, and printed so that one command plays it again. One
that is not the same from one bare play to the next is counted as unstable, and so is one that differed
once and does not when it is played again: when a packet of loopback comes is nobody's promise. Both are
printed; too many fail the test.
"""
import argparse
import collections
import concurrent.futures
import glob
import itertools
import os
import sys
import time

sys.path.insert(0, os.path.join(os.getcwd(), "tests/sequences"))
import sequences  # noqa: E402  # pylint: disable=wrong-import-position

# Few kinds at a time find what all at once would hide.
KINDS = (
    (),
    ("blocking", "ranges"),
    ("dup",),
    ("fork",),
    ("passing",),
    ("fastopen", "exec", "thread"),
    ("dup", "fork"),
    ("foreign", "dup"),
    ("dup", "passing", "fork", "blocking"),
    ("blocking", "dup", "fork", "passing", "exec", "thread", "ranges", "fastopen"),
)
SEEDS = 1000
OPERATIONS = 80
AGAIN = 5  # plays of one that differed once
BATCH = 64
UNSTABLE = 0.02  # of the seeds


def arguments():
    parser = argparse.ArgumentParser(description="Random sequences of socket calls, bare and under the library.")
    parser.add_argument("--first", type=int, help="instead of the scripts that are kept, and of seed 1")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--operations", type=int, default=OPERATIONS)
    parser.add_argument("--kinds", help="instead of each seed's own; plain: no others")
    parser.add_argument("--show", type=int, default=5, help="of those that differ; shortening takes a while")
    parser.add_argument("--script", help="a file, or - for standard input")
    return parser.parse_args()


def steps_of(file):
    return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def kept_scripts():
    for path in sorted(glob.glob("tests/sequences/scripts/*")):
        with open(path, encoding="utf-8") as file:
            yield os.path.basename(path), steps_of(file)


def all_scripts(options):
    """(name, script) of what is to be played."""
    if options.script:
        path = os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), options.script)  # of bazel run
        with (sys.stdin if options.script == "-" else open(path, encoding="utf-8")) as file:
            yield "script", steps_of(file)
        return
    if options.first is None:
        yield from kept_scripts()
    first = options.first or 1
    for seed in range(first, first + options.seeds):
        kinds = options.kinds.split(",") if options.kinds else KINDS[seed % len(KINDS)]
        yield "seed %d (%s)" % (seed, ", ".join(kinds) or "plain"), \
            sequences.random_script(seed, options.operations, kinds)


def explain(comparison, name, script, verdict):
    """Prints the difference in as few steps as there are."""
    problem = verdict.problems[0] if verdict.problems and verdict.bare.seen == verdict.shim.seen else None
    again = any(comparison.still(script, problem) for _ in range(AGAIN))
    short = comparison.shrunk(script, problem) if again else script
    bare, shim = (comparison.play(short, shimmed) for shimmed in (False, True))
    print("\n%s differs%s; in %d steps of %d:" %
          (name, "" if again else " (not each time, and so it is not shortened)", len(short), len(script)))
    if not again:
        bare, shim = verdict.bare, verdict.shim
    for row in sequences.side_by_side(bare.seen, shim.seen):
        print("  " + row)
    for each in (shim.problems(set()) or verdict.problems)[:10]:
        print("  " + each)
    print("bazel run //tests/sequences:walk_test -- --script - <<'END'\n%s\nEND" % "\n".join(short))
    return again


def judge_all(comparison, scripts):
    """(name, script, verdict) of each, a handful at a time."""
    def judged(named):
        return (*named, comparison.judge(named[1]))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        while batch := list(itertools.islice(scripts, BATCH)):
            yield from pool.map(judged, batch)


def main():
    options = arguments()
    silence = sequences.Silence()
    comparison = sequences.Comparison(silence.ports)
    counts = collections.Counter()
    begin = time.monotonic()
    try:
        for name, script, verdict in judge_all(comparison, all_scripts(options)):
            counts[verdict.what] += 1
            counts["steps"] += len(verdict.bare.seen)
            counts["records"] += len(verdict.shim.lines)
            if verdict.what == "unstable":
                print("%s is not the same twice by itself" % name)
            elif verdict.what == "different" and counts["different"] <= options.show:
                if not explain(comparison, name, script, verdict):
                    counts["different"] -= 1
                    counts["unstable"] += 1
            elif verdict.what == "different":
                print("%s differs" % name)
    finally:
        silence.end()
    total = counts["same"] + counts["different"] + counts["unstable"]
    print("%d sequences, %d steps, %d records in %.1f s: %d the same, %d different, %d unstable" %
          (total, counts["steps"], counts["records"], time.monotonic() - begin, counts["same"],
           counts["different"], counts["unstable"]))
    return 1 if counts["different"] or counts["unstable"] > max(1, UNSTABLE * total) or not total else 0


if __name__ == "__main__":
    sys.exit(main())
