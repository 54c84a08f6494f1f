#!/bin/bash
# SPDX-License-Identifier: MIT
status=0
tests/lab/lab python3 tests/facts/facts.py || status=$?
if [ $status -eq 77 ]; then
    echo "SKIPPED: this machine does not let this user make namespaces"
    exit 0
fi
exit $status
