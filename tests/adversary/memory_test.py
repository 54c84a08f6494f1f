#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program's memory: nothing of it is read that the kernel or the C library would not have read.
Each function that is hooked gets its buffers at the end of a mapping."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position

PROGRAM = os.path.abspath(os.environ.get("TCPDIAG_TEST_MEMORY", "tests/adversary/memory"))
STATES = ["idle", "pending", "failed", "established"]


def exported():
    """The names between `global:` and `local:`."""
    with open("shim/exports.lds", encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    return re.findall(r"(\w+);", text[text.index("global:"):text.index("local:")])


def played():
    return run.Run([PROGRAM, "hooks"], False).out.decode().split()


class Memory(run.SceneTest):
    def command(self, scene):
        return [PROGRAM, *scene.split()]

    def test_each_hook_has_its_scene(self):
        self.assertEqual(sorted(exported()), sorted(played()))

    @unittest.skipIf(run.LINKED_IN, "a sanitizer's own functions read what the C library would not")
    def test_hooks(self):
        here = 0
        for hook in exported():
            for state in STATES:
                with self.subTest(hook=hook, state=state):
                    bare = run.Run([PROGRAM, hook, state], False)
                    self.assertEqual(bare.status, 0, bare.err)
                    if bare.out == b"absent\n":
                        continue  # here the program would find the hook, and not without it
                    here += 1
                    self.assertGreater(len(bare.out.splitlines()), 0)
                    shimmed = run.Run([PROGRAM, hook, state], True)
                    self.same(bare, shimmed)
                    self.check_log(shimmed)
        self.assertGreater(here, 40 * len(STATES))

    @unittest.skipIf(run.LINKED_IN, "as above")
    def test_tables_of_descriptors(self):
        self.play("select_while_the_table_grows")
        self.play("select_with_a_smaller_table")

    @unittest.skipIf(run.LINKED_IN, "as above")
    def test_name_where_the_answer_is_written(self):
        """gethostbyname(host->h_name): the log has what was asked for."""
        records = run.Run([PROGRAM, "gethostbyname", "idle"], True).records()
        asked = {r.get("server.address") for r in records if r["event"] == "resolve"}
        self.assertLessEqual(asked, {"localhost", "::1", "1.2.3.4."})
        self.assertIn("localhost", asked)

    @unittest.skipIf(run.LINKED_IN, "as above")
    def test_short_set(self):
        """docs/limits.md: the library's descriptors are below FD_SETSIZE, and the table grows for them."""
        results = [run.Run(self.command("select_with_a_short_set"), shimmed).out.split() for shimmed in (False, True)]
        self.assertIn(results[0], ([b"1", b"1"], [b"-1", b"1"]))  # a machine whose tables begin longer
        self.assertEqual(results[1], [b"-1", b"1"])


if __name__ == "__main__":
    unittest.main()
