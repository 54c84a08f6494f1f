# SPDX-License-Identifier: MIT
"""Runs a scene bare and under the shim: the program must see, print and leave behind the same, and
the log must hold records of the schema, each attempt with one begin and one end."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/schema"))
import validate  # noqa: E402  # pylint: disable=wrong-import-position

SHIM = os.path.abspath(os.environ.get("TCPDIAG_TEST_LIBRARY", "shim/libtcpdiag.so"))
LINKED_IN = os.environ.get("TCPDIAG_HOOKS_LINKED_IN") == "1"  # a sanitizer build
SECONDS = 120


class Run:
    """One run of a program; its log is in a folder that goes with this object."""

    def __init__(self, command, shimmed, setting=None, more=None, **options):
        self.folder = tempfile.TemporaryDirectory(prefix="tcpdiag-adversary-")
        self.place = self.folder.name
        environment = {"PATH": os.environ["PATH"], **(more or {})}
        if shimmed or LINKED_IN:
            environment["TCPDIAG_LOG"] = setting or os.path.join(self.place, "log.jsonl")
            if not LINKED_IN:
                environment["LD_PRELOAD"] = SHIM
        if callable(command):
            command = command(self.place)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **options}
        # pylint: disable-next=subprocess-run-check
        done = subprocess.run(command, env=environment, cwd=self.place, timeout=SECONDS, **options)
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __del__(self):
        self.folder.cleanup()

    def log(self, name="log.jsonl"):
        return os.path.join(self.place, name)

    def records(self, name="log.jsonl"):
        try:
            with open(self.log(name), encoding="utf-8") as lines:
                return [json.loads(line) for line in lines]
        except FileNotFoundError:
            return []


class SceneTest(unittest.TestCase):
    """A scene of one of the programs here is `PROGRAM SCENE`; PROGRAM is set by the subclass."""
    PROGRAM = ""

    def command(self, scene):
        return [os.path.abspath("tests/adversary/" + self.PROGRAM), scene]

    def play(self, scene, begins=None, ends=None, outcomes=None, killed=(), **options):
        bare = Run(self.command(scene), False, **options)
        self.assertEqual(bare.status, 0, bare.err)
        run = Run(self.command(scene), True, **options)
        self.same(bare, run)
        self.check_log(run, begins, ends, outcomes, killed)
        return run

    def same(self, bare, run):
        self.assertEqual((bare.status, bare.out, bare.err), (run.status, run.out, run.err))

    def check_log(self, run, begins=None, ends=None, outcomes=None, killed=(), name="log.jsonl"):
        records = run.records(name)
        text = "\n".join(map(str, records))
        if os.path.exists(run.log(name)):
            self.assertEqual(validate.problems_of_log(run.log(name), True, killed), [], text)
        if begins is not None:
            self.assertEqual(sum(r["phase"] == "begin" for r in records), begins, text)
        if ends is not None:
            self.assertEqual(sum(r["phase"] == "end" for r in records), ends, text)
        if outcomes is not None:
            self.assertEqual([r["outcome"] for r in records if r["phase"] == "end"], outcomes, text)


def may_unshare(*options):
    """Whether this machine lets a user have namespaces of his own."""
    return subprocess.run(["unshare", *options, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
