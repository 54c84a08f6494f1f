#!/bin/bash
# SPDX-License-Identifier: MIT
# Every line that the shim and the probe write on loopback holds against the schema.
set -euo pipefail
if [ "${1-}" = sanitizer ]; then
    echo "SKIPPED: a sanitizer's runtime has to come before every preload library"
    exit 0
fi
log=$TEST_TMPDIR/log
library=$PWD/shim/libtcpdiag.so
scenes="blocking_accepted blocking_refused poll_refused poll_accepted close_unread epoll_pointer
    second_connect closed_pending exit_pending quick_exit_pending exec_pending dup_pending
    fork_pending vfork_pending send_time_limit interrupted reuse_numbers twice many_in_flight threads
    numeric_lookup named_connect own_recverr"
for scene in $scenes; do
    TCPDIAG_LOG=$log LD_PRELOAD=$library tests/shim/actor "$scene" </dev/null >/dev/null
done
# Names that need escaping, that are no UTF-8, and that are too long for a line. The lookups fail
# inside the machine: a label has at most 63 bytes.
for name in $'quote"backslash\\.invalid' $'tab\tbell\a.invalid' $'\xff\xfe\xc0.invalid' \
    "$(printf '%0.s\x01' {1..900})" "$(printf 'x%.0s' {1..5000})"; do
    TCPDIAG_LOG=$log LD_PRELOAD=$library getent ahosts "$name" >/dev/null || [ $? -eq 2 ]
done
probe/tcpdiag-probe --json localhost 1 >>"$log" || [ $? -eq 5 ]
probe/tcpdiag-probe --json --quiet -w 0.2 nosuch.invalid 1 >>"$log" || [ $? -eq 3 ]
lines=$(wc -l <"$log")
[ "$lines" -ge 3600 ] || { echo "WRONG: only $lines lines"; exit 1; }
longest=$(awk '{ if (length($0) > most) most = length($0) } END { print most + 1 }' "$log")
python3 tests/schema/validate.py --pairs "$log"
echo "$lines lines, the longest of $longest bytes"
