#!/bin/bash
# SPDX-License-Identifier: MIT
# What the finished library may export, need and weigh, read from the file itself.
set -euo pipefail
if [ "${1-}" = sanitizer ]; then
    echo "SKIPPED: a sanitizer build is not the library that is delivered"
    exit 0
fi
library=shim/libtcpdiag.so
list=shim/exports.lds
status=0
wrong() {
    echo "WRONG: $*"
    status=1
}

listed=$(sed -n 's/^ *\([A-Za-z_0-9]*\);$/\1/p' "$list" | sort)
exported=$(readelf --dyn-syms --wide "$library" | awk '$5 == "GLOBAL" && $7 != "UND" { print $8 }' | sort)
[ "$listed" = "$exported" ] || wrong "exports differ from $list: $(diff <(echo "$listed") <(echo "$exported"))"

needed=$(readelf -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
[ "$needed" = "libc.so.6 libdl.so.2 " ] || wrong "it needs $needed"

if [ "$(uname -m)" = x86_64 ]; then
    versions=$(readelf --dyn-syms --wide "$library" | grep -o 'GLIBC_[0-9.]*' | sort -u | tr '\n' ' ')
    [ "$versions" = "GLIBC_2.2.5 " ] || wrong "symbol versions: $versions"
fi

undefined=$(readelf --dyn-syms --wide "$library" | awk '$7 == "UND" { print $8 }')
for name in malloc calloc realloc free printf fprintf snprintf setlocale pthread_create; do
    ! grep -qE "^$name(@|$)" <<<"$undefined" || wrong "it calls $name"
done
! grep -E '_chk(@|$)' <<<"$undefined" || wrong "it calls a fortified function, which musl has not"

readelf -lW "$library" | grep -q 'GNU_STACK.*RW ' || wrong "its stack may be executed"
readelf -d "$library" | grep -q 'BIND_NOW\|FLAGS.*NOW' || wrong "no full RELRO"
strip -o "$TEST_TMPDIR/stripped" "$library"
size=$(stat -c %s "$TEST_TMPDIR/stripped")
[ "$size" -le 81920 ] || wrong "$size bytes stripped, more than 80 KiB"
echo "exports $(wc -l <<<"$exported"), needs $needed, $size bytes stripped"
exit $status
