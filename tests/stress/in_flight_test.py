#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many connects in flight at once, whatever their descriptors' numbers: 4096 are followed to their
end; of more, each has its begin and its end in the log, or neither, and then it is counted."""
import collections
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/stress"))
import logs  # noqa: E402  # pylint: disable=wrong-import-position

FOLLOWED = 4096
OUTCOMES = {"connected": 0, "refused/port-closed": 1}  # in the order in which the program counts them


class InFlight(unittest.TestCase):
    """Each test is a way of numbering."""

    def play(self, count, numbers):
        """(what the program counted, what the log has, attempts with one record only, lost)"""
        with tempfile.TemporaryDirectory(prefix="tcpdiag-in-flight-") as folder:
            path = os.path.join(folder, "log.jsonl")
            played = subprocess.run([logs.program("in_flight"), str(count), numbers], check=False,
                                    env=logs.environment(path), stdout=subprocess.PIPE, text=True)
            if played.returncode == 3:
                print("SKIPPED: %d in flight, %s: the limit of descriptors (ulimit -Hn) is too low" % (count, numbers))
                self.skipTest("the limit of descriptors is too low")
            self.assertEqual(played.returncode, 0)
            log = logs.Log(path)
            phases, outcomes = collections.defaultdict(list), collections.Counter()
            for _, record in log:
                phases[record["attempt"]].append(record["phase"])
                if record["phase"] == "end":
                    outcomes["/".join(filter(None, (record["outcome"], record.get("cause"))))] += 1
        self.assertEqual((log.torn, log.empty), (0, 0))
        odd = [number for number, each in phases.items() if each != ["begin", "end"]]
        self.assertEqual(odd[:20], [], "attempts without begin or end, %d of %d" % (len(odd), count))
        return [int(word) for word in played.stdout.split()], outcomes, log.lost

    def check(self, numbers):
        told, outcomes, lost = self.play(FOLLOWED, numbers)
        self.assertEqual(dict(outcomes), {"connected": told[0], "refused/port-closed": told[1]})
        self.assertEqual(lost, 0)
        told, outcomes, lost = self.play(2 * FOLLOWED, numbers)
        self.assertEqual(outcomes.keys() - OUTCOMES.keys(), set(), outcomes)
        for outcome, at in OUTCOMES.items():
            self.assertLessEqual(outcomes[outcome], told[at])
        missing = sum(told) - sum(outcomes.values())
        self.assertGreaterEqual(lost, missing, "attempts that are neither in the log nor counted")
        self.assertLessEqual(lost, 2 * missing, "more counted than is missing")

    def test_one_after_the_other(self):
        self.check("row")

    def test_4096_apart(self):
        self.check("folded")

    def test_256_apart(self):
        self.check("stride")

    def test_at_random(self):
        self.check("random")


if __name__ == "__main__":
    unittest.main()
