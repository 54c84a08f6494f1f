#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program's own functions by the names of libc's are not called by the library."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests/adversary"))
import run  # noqa: E402  # pylint: disable=wrong-import-position


@unittest.skipIf(run.LINKED_IN, "the hooks are part of the program, and its functions are theirs")
class Names(run.SceneTest):
    PROGRAM = "names"

    def test_return(self):
        self.play("return", 2, 2)

    def test_exit(self):
        self.play("Exit", 2, 2)

    # The second connect is in flight; an exec that fails begins it anew.
    def test_exec(self):
        for scene in ["list", "path", "environment"]:
            self.play(scene, 3, 3)


if __name__ == "__main__":
    unittest.main()
