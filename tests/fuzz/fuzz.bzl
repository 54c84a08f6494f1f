# SPDX-License-Identifier: MIT
"""A fuzz target NAME_fuzz.c as a test of the same name; its corpus is corpus/NAME."""

def fuzz_test(name, srcs = [], mutations = 20000, deps = [], copts = [], linkopts = []):
    corpus = native.glob(["corpus/%s/**" % name.replace("_fuzz", "")])
    native.cc_test(
        name = name,
        size = "small",
        srcs = [
            name + ".c",
            "driver.c",
            "fuzz.h",
        ] + srcs,
        args = [str(mutations)] + ["$(location %s)" % file for file in corpus],
        copts = ["-D_GNU_SOURCE"] + copts,
        data = corpus,
        linkopts = linkopts,
        linkstatic = True,
        deps = deps,
    )
