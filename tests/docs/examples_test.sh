#!/bin/bash
# SPDX-License-Identifier: MIT
set -euo pipefail
if [ "${1-}" = sanitizer ]; then
    echo "SKIPPED: a sanitizer's runtime has to come before every preload library"
    exit 0
fi
python3 docs/examples.py --check . docs/*.md docs/*.[1-9] README.md

# A word, a blank or the end of a line that is not what the program says is noticed.
for change in 's/port-closed/port-open/' 's/^  next: /   next: /' 's/^  next: /next: /' \
    '/^tcpdiag: 1x/{N;s/\n */  /}'; do
    sed "$change" docs/tcpdiag.1 >"$TEST_TMPDIR/changed.1"
    if cmp -s docs/tcpdiag.1 "$TEST_TMPDIR/changed.1"; then
        echo "WRONG: $change changes nothing"
        exit 1
    fi
    if python3 docs/examples.py --check . "$TEST_TMPDIR/changed.1" >/dev/null; then
        echo "WRONG: $change went unnoticed"
        exit 1
    fi
done
