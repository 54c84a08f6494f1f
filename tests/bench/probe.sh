#!/bin/bash
# SPDX-License-Identifier: MIT
# bazel run //tests/bench:probe
exec /usr/bin/python3 tests/bench/probe.py probe/tcpdiag-probe tests/bench/scanloop \
    tests/bench/peak tests/bench/scan_asyncio.py
