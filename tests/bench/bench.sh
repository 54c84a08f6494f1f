#!/bin/bash
# SPDX-License-Identifier: MIT
# bazel run //tests/bench
exec /usr/bin/python3 tests/bench/bench.py tests/bench/cycle shim/libtcpdiag.so
