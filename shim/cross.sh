#!/bin/bash
# SPDX-License-Identifier: MIT
# cross.sh OUT COMPILER FLAGS EXPORTS FILES...: builds the shim with another compiler than Bazel's.
set -euo pipefail
out=$1 flags=$3 exports=$4
read -ra compiler <<<"$2"
shift 4
sources=()
for file; do
    [[ $file != *.c ]] || sources+=("$file")
done
"${compiler[@]}" -I. "${sources[@]}" "@$flags" "-Wl,--version-script=$exports" -o "$out"
