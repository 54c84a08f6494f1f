#!/bin/bash
# SPDX-License-Identifier: MIT
# No room of the prober depends on one beside it or above it, as Bazel sees it.
set -euo pipefail
if [ -s tests/probe/wrong_arrows ]; then
    echo "WRONG: something below or beside depends on:"
    cat tests/probe/wrong_arrows
    exit 1
fi
# The question itself finds arrows where there are some.
[ "$(wc -l <tests/probe/right_arrows)" -eq 4 ] || { echo "WRONG: modes does not use all rooms"; exit 1; }
