# SPDX-License-Identifier: MIT
"""Tests that load the shim where Bazel's own compiler and C library are not."""

def load_test(name, compiler, library = "", emulator = "", actor_flags = "-O1", gtest_filter = "*", machine = ""):
    """Plays the scenes of tests/shim and of tests/adversary/memory.c with an actor and a library of the compiler's machine.

    Args:
      name: of the test.
      compiler: command and flags; where it is missing, the test says SKIPPED.
      library: the library to preload; none: the compiler builds it.
      emulator: qemu-user's name of the machine; none: programs run here.
      actor_flags: more flags for the actor.
      machine: of the library, where `tcpdiag run` is to find it by this name and programs run here.
      gtest_filter: the scenes that the machine can play.
    """
    native.sh_test(
        name = name,
        size = "medium",
        srcs = ["load_test.sh"],
        args = [
            "'%s'" % compiler,
            "'%s'" % actor_flags,
            "'%s'" % emulator,
            "'%s'" % gtest_filter,
            "'%s'" % machine,
        ] + select({
            "//shim:sanitizer": ["sanitizer"],
            "//conditions:default": ["$(location %s)" % library if library else "''"],
        }),
        data = [
            "//shim:cross.sh",
            "//shim:exports.lds",
            "//shim:flags",
            "//shim:sources",
            "//tests/adversary:memory_sources",
            "//tests/schema:validate",
            "//tests/shim:actor.c",
            "//tests/shim:gates.sh",
            "//tests/shim:scene.h",
            "//tests/shim:shim_test",
        ] + ([library] if library else []) + ([
            "//shim:libtcpdiag.so",
            "//tools:tcpdiag",
        ] if machine else []),
    )
