#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Connects before our constructor and after our destructor."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position


class Early(run.SceneTest):
    PROGRAM = "early"

    @unittest.skipIf(run.LINKED_IN, "the hooks are part of the program, whose constructors come last")
    def test_constructor_and_destructor(self):
        self.play("", 4, 4, ["refused"] * 4)


if __name__ == "__main__":
    unittest.main()
