#!/bin/bash
# SPDX-License-Identifier: MIT
# tcpdiag compare in the lab's network, whose /etc and rules a test may change.
set -u
if [ "${1-}" = sanitizer ]; then
    echo "SKIPPED: a sanitizer's runtime cannot be preloaded into Python"
    exit 0
fi
export PYTHONDONTWRITEBYTECODE=1
tests/lab/lab python3 tests/tools/compare_scenes.py
status=$?
if ((status == 77)); then
    echo "SKIPPED: the lab needs user namespaces; no scene of tcpdiag compare has run"
    exit 0
fi
exit $status
