# SPDX-License-Identifier: MIT
"""Plays a script of tests/sequences/walk.c bare and under the shim, compares what the program saw,
holds the log against it, and makes a script that differs as short as it gets."""
import collections
import itertools
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.getcwd(), "tests/schema"))
import validate  # noqa: E402  # pylint: disable=wrong-import-position

WALK = os.path.abspath("tests/sequences/walk")
SHIM = os.path.abspath(os.environ.get("TCPDIAG_TEST_LIBRARY", "shim/libtcpdiag.so"))
LINKED_IN = os.environ.get("TCPDIAG_HOOKS_LINKED_IN") == "1"  # a sanitizer build
SECONDS = 60  # more than walk's own alarm
TARGETS = ("accepting", "refusing", "silent")

# What no connect to the target can have ended with, whoever closed what meanwhile.
WRONG = {
    "accepting": ("refused/port-closed", "refused/firewall-reject", "timeout", "no-route", "denied", "dns"),
    "refusing": ("connected", "timeout", "no-route", "denied", "dns", "refused/firewall-reject"),
    "silent": ("connected", "refused", "no-route", "denied", "dns"),
}


def random_script(seed, count, kinds):
    made = subprocess.run([WALK, "make", str(seed), str(count), *kinds], stdout=subprocess.PIPE,
                          env={"PATH": os.environ["PATH"], "TCPDIAG_LOG": "/dev/null"}, check=True)
    return made.stdout.decode().splitlines()


class Silence:
    """The silent ports, which take a moment to make: the same for all plays."""

    def __init__(self):
        # pylint: disable-next=consider-using-with
        self.server = subprocess.Popen([WALK, "serve"], stdout=subprocess.PIPE,
                                       env={"PATH": os.environ["PATH"], "TCPDIAG_LOG": "/dev/null"})
        self.ports = self.server.stdout.readline().split()
        if len(self.ports) != 2:
            raise RuntimeError("walk serve: no ports")

    def end(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()


class Play:
    """One play: what the program saw, and what the log says."""

    def __init__(self, script, ports, shimmed):
        environment = {"PATH": os.environ["PATH"]}
        self.lines = []
        with tempfile.TemporaryDirectory(prefix="tcpdiag-walk-") as folder:
            log = os.path.join(folder, "log.jsonl")
            if shimmed or LINKED_IN:
                environment["TCPDIAG_LOG"] = log
                # No leaks: the sanitizer looks for them in a child that ends, and finds its threads gone.
                environment.update({"ASAN_OPTIONS": "detect_leaks=0"} if LINKED_IN else {"LD_PRELOAD": SHIM})
            self.run("\n".join(script) + "\n", ports, environment)
            if os.path.exists(log):
                with open(log, "rb") as file:
                    self.lines = file.readlines()

    def run(self, text, ports, environment):
        with subprocess.Popen([WALK, "play", *ports], env=environment, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              start_new_session=True) as process:
            try:
                out, err = process.communicate(text.encode(), timeout=SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its children too: the session is the play's own
                out, err = process.communicate()
        named, _, rest = err.partition(b"\n")
        numbers = [int(word) for word in named.split()] if process.returncode in (0, -signal.SIGALRM) else []
        self.target = {port: TARGETS[i // 2] for i, port in enumerate(numbers)}
        # What else stands on standard error, and how it ended, are as much to be the same.
        self.seen = out.decode().splitlines() + rest.decode(errors="replace").splitlines()
        self.seen.append("exit status %d" % process.returncode)

    def problems(self, schema_checked):
        """What is wrong with the log."""
        problems, records = [], []
        for number, line in enumerate(self.lines, 1):
            try:
                record = validate.parse(line)
            except ValueError as error:
                problems.append("log: line %d: %s: %r" % (number, error, line[:200]))
                continue
            records.append(("log: line %d" % number, record))
            shape = (tuple(record), record.get("outcome"), record.get("cause"), record.get("errno"))
            if shape not in schema_checked:  # the schema takes a millisecond: once for each shape
                problems += ["log: line %d: %s" % (number, each) for each in validate.problems_of_record(record)]
                schema_checked.add(shape)
        problems += validate.problems_of_pairs(records)
        problems += list(itertools.chain(*(self.claims(place, record) for place, record in records)))
        lost = sum(record.get("lost", 0) for _, record in records)
        return problems + (["log: %d records lost" % lost] if lost else [])

    def claims(self, place, record):
        """Outcomes that cannot be true of the record's target."""
        if record["phase"] != "end" or record["event"] != "connect":
            return
        outcome = record["outcome"]
        claimed = [outcome, "/".join([outcome, record["cause"]])] if "cause" in record else [outcome]
        target = self.target.get(record["network.peer.port"])
        if outcome == "timeout" and record["duration_ms"] >= 1000:
            return  # the machine was so busy that the silence is a fact
        if any(word in WRONG.get(target, ()) for word in claimed):
            yield "%s: a connect to the %s port is logged as %s" % (place, target, claimed[-1])


Verdict = collections.namedtuple("Verdict", "what bare shim problems")  # same, different or unstable
AGAIN = 2  # so often a difference is played again


class Comparison:
    """Compares scripts."""

    def __init__(self, ports):
        self.ports = ports
        self.schema_checked = set()

    def play(self, script, shimmed):
        return Play(script, self.ports, shimmed)

    def judge(self, script):
        """A difference is one only if the program by itself does the same three times; a log that is
        wrong is wrong the first time."""
        bare, shim = self.play(script, False), self.play(script, True)
        problems = shim.problems(self.schema_checked)
        if bare.seen == shim.seen:
            return Verdict("different" if problems else "same", bare, shim, problems)
        for _ in range(AGAIN):
            if self.play(script, False).seen != bare.seen:
                return Verdict("unstable", bare, shim, problems)
        if not any(self.play(script, True).seen != bare.seen for _ in range(AGAIN)):
            # Once different: of the program or of the library? The more it is played, the surer.
            more = [self.play(script, False).seen != bare.seen for _ in range(5 * AGAIN)]
            return Verdict("unstable" if any(more) else "different", bare, shim, problems)
        return Verdict("different", bare, shim, problems)

    def still(self, script, problem):
        """Whether a shorter script has the same kind of fault, each time."""
        if problem:
            return any(kind_of(each) == kind_of(problem)
                       for each in self.play(script, True).problems(self.schema_checked))
        bare = self.play(script, False).seen
        return all(self.play(script, True).seen != bare for _ in range(AGAIN)) and \
            self.play(script, False).seen == bare

    def shrunk(self, script, problem=None):
        """Delta debugging: leaves out halves, quarters, ... and at last single steps."""
        size = len(script) // 2
        while size:
            at = 0
            while at < len(script):
                shorter = script[:at] + script[at + size:]
                if self.still(shorter, problem):
                    script = shorter
                else:
                    at += size
            size //= 2
        return script


def kind_of(problem):
    """The sentence without its numbers."""
    return "".join(letter for letter in problem.split(": ", 2)[-1] if not letter.isdigit())


def side_by_side(bare, shim):
    width = max(map(len, bare + ["bare"]))
    rows = itertools.zip_longest(["bare"] + bare, ["under the library"] + shim, fillvalue="")
    return ["%s %-*s | %s" % (" " if left == right or not i else "!", width, left, right)
            for i, (left, right) in enumerate(rows)]
