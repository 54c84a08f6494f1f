#!/bin/bash
# SPDX-License-Identifier: MIT
# No room depends on one beside it or above it, as Bazel sees it, and no program carries a part of the
# preload library.
set -euo pipefail
if [ -s tests/arrows/wrong_arrows ]; then
    echo "WRONG: an arrow of tests/arrows/BUILD does not allow that something depends on:"
    cat tests/arrows/wrong_arrows
    exit 1
fi
[ "$(wc -l <tests/arrows/right_arrows)" -eq 11 ] ||
    { echo "WRONG: compare reaches other rooms than its arrows say:"; cat tests/arrows/right_arrows; exit 1; }

guest='tcpdiag_(scratch|confine|alone|sole|attempts|log_record|real|settings|call|seen)'
for program in probe/tcpdiag-probe tools/tcpdiag; do
    nm "$program" | grep ' T main$' >/dev/null || { echo "WRONG: nm does not see $program's own functions"; exit 1; }
    ! nm "$program" | grep -E "$guest" || { echo "WRONG: $program has these of the library's"; exit 1; }
done
