#!/bin/bash
# SPDX-License-Identifier: MIT
# load_test.sh COMPILER ACTOR_FLAGS EMULATOR FILTER MACHINE LIBRARY: see load.bzl.
set -euo pipefail
read -ra compiler <<<"$1"
read -ra actor_flags <<<"$2"
emulator=$3 filter=$4 machine=$5 library=$6

skip() {
    echo "SKIPPED: $*"
    exit 0
}
[ "$library" != sanitizer ] || skip "a sanitizer build is not the library that is delivered"
echo 'int main(void) { return 0; }' >"$TEST_TMPDIR/probe.c"
command -v "${compiler[0]}" >/dev/null || skip "no ${compiler[0]} here; tools/packages names its package"
"${compiler[@]}" "$TEST_TMPDIR/probe.c" -o "$TEST_TMPDIR/probe" 2>/dev/null ||
    skip "${compiler[*]} cannot build a program here; tools/packages names what it needs"
if [ -n "$emulator" ]; then
    command -v "qemu-$emulator" >/dev/null || skip "no qemu-$emulator here; tools/packages names its package"
    export TCPDIAG_TEST_EMULATOR="qemu-$emulator" QEMU_LD_PREFIX="/usr/$emulator-linux-gnu"
else
    "$TEST_TMPDIR/probe" || skip "this kernel does not run the programs of ${compiler[*]}"
fi

if [ -z "$library" ]; then
    library=$TEST_TMPDIR/libtcpdiag.so
    # shellcheck disable=SC2046 # paths of Bazel's, without spaces
    shim/cross.sh "$library" "$1" shim/flags.txt shim/exports.lds $(find shim/ -name '*.c')
    # shellcheck source=/dev/null
    . tests/shim/gates.sh
    gates "$library" shim/exports.lds "${emulator:+$emulator-linux-gnu-}"
fi
"${compiler[@]}" "${actor_flags[@]}" -I. tests/shim/actor.c -o "$TEST_TMPDIR/actor" -pthread -ldl
export TCPDIAG_TEST_ACTOR="$TEST_TMPDIR/actor" TCPDIAG_TEST_LIBRARY="$library"
tests/shim/shim_test --gtest_filter="$filter"

if [ -z "$emulator" ]; then # an emulator looks at memory in its own way
    "${compiler[@]}" "${actor_flags[@]}" -std=gnu11 -I. tests/adversary/memory*.c -o "$TEST_TMPDIR/memory" -pthread
    TCPDIAG_TEST_MEMORY="$TEST_TMPDIR/memory" tests/adversary/memory_test.py
fi

if [ -n "$machine" ]; then
    mkdir -p "$TEST_TMPDIR/lib/$machine"
    cp shim/libtcpdiag.so "$TEST_TMPDIR/lib/"
    cp "$library" "$TEST_TMPDIR/lib/$machine/"
    TCPDIAG_LIBRARY="$TEST_TMPDIR/lib/libtcpdiag.so" tools/tcpdiag run -q -l "$TEST_TMPDIR/log" -- \
        "$TEST_TMPDIR/actor" blocking_refused
    grep -q '"outcome":"refused"' "$TEST_TMPDIR/log"
    echo "tcpdiag run: the library for $machine was preloaded"
fi
