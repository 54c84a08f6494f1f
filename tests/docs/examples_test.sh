#!/bin/bash
# SPDX-License-Identifier: MIT
set -euo pipefail
if [ "${1-}" = sanitizer ]; then
    echo "SKIPPED: a sanitizer's runtime has to come before every preload library"
    exit 0
fi
python3 docs/examples.py --check . docs/*.md docs/*.[1-9] README.md

# A word that is not what the program says is noticed.
sed 's/port-closed/port-open/' docs/tcpdiag.1 >"$TEST_TMPDIR/changed.1"
if python3 docs/examples.py --check . "$TEST_TMPDIR/changed.1" >/dev/null; then
    echo "WRONG: a changed example went unnoticed"
    exit 1
fi
