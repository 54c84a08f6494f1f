# SPDX-License-Identifier: MIT
# gates LIBRARY EXPORTS [TOOLS]: what the finished library may export, need and weigh, read from the
# file itself. TOOLS: the prefix of the compiler's own readelf and strip. Sourced.

# All that it may call. Each undefined name is one that the program may have a function of its own
# by, which would then be called in libc's place; so there are these, and each has its reason. They
# are in libc.so.6 at the machine's first version and in musl.
declare -A imports=(
    [dlsym]="how everything else of libc's is found; there is no way past the program to it"
    [__errno_location]="errno is the thread's, and libc's alone to place; the name is reserved (C, 7.1.3)"
    [__h_errno_location]="the same of h_errno"
)
# The compiler's own start of each shared library. All are weak, and may be missing.
startup='_ITM_deregisterTMCloneTable _ITM_registerTMCloneTable __gmon_start__ __cxa_finalize'

gates() {
    local library=$1 list=$2 tools=${3-} status=0
    local machine wide exported listed undefined versions allowed needed size name
    wrong() {
        echo "WRONG: $library: $*"
        status=1
    }
    machine=$("${tools}readelf" -h "$library" | sed -n 's/ *Machine: *//p')
    wide=$("${tools}readelf" -h "$library" | grep -c 'Class: *ELF64' || true)

    # What follows the comment on 32-bit machines is theirs alone.
    listed=$(sed "$([ "$wide" = 0 ] || echo '/On 32-bit machines only/,$d')" "$list" |
        sed -n 's/^ *\([A-Za-z_0-9]*\);$/\1/p' | sort)
    exported=$("${tools}readelf" --dyn-syms --wide "$library" |
        awk '$5 == "GLOBAL" && $7 != "UND" && $7 != "Ndx" { print $8 }' | sort)
    [ "$listed" = "$exported" ] ||
        wrong "exports differ from $list: $(diff <(echo "$listed") <(echo "$exported"))"

    needed=$("${tools}readelf" -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
    [ "$needed" = "libc.so.6 libdl.so.2 " ] || wrong "it needs $needed"

    # The first version that each machine's glibc has; i386's table of versions begins earlier.
    case $machine in
    *X86-64) allowed='GLIBC_2.2.5 ' ;;
    *80386) allowed='GLIBC_2.0 GLIBC_2.1.3 ' ;;
    AArch64) allowed='GLIBC_2.17 ' ;;
    RISC-V) allowed='GLIBC_2.27 ' ;;
    *) allowed='unknown machine' ;;
    esac
    versions=$("${tools}readelf" --dyn-syms --wide "$library" | grep -o 'GLIBC_[0-9.]*' | sort -u | tr '\n' ' ')
    [ "$versions" = "$allowed" ] || wrong "symbol versions: $versions"

    undefined=$("${tools}readelf" --dyn-syms --wide "$library" |
        awk '$7 == "UND" && $8 != "" { sub(/@.*/, "", $8); print $8 }')
    for name in $undefined; do
        [[ -n ${imports[$name]-} || " $startup " = *" $name "* ]] || wrong "it calls $name"
    done
    # A hook that the library itself reaches by its name would be the program's own function.
    for name in $("${tools}readelf" -rW "$library" | awk '$5 ~ /^[A-Za-z_]/ { print $5 }'); do
        ! grep -qxF -e "$name" <<<"$exported" || wrong "it calls $name by its name, which it exports"
    done

    "${tools}readelf" -lW "$library" | grep -q 'GNU_STACK.* RW ' || wrong "its stack may be executed"
    "${tools}readelf" -lW "$library" | grep -q GNU_RELRO || wrong "no RELRO"
    "${tools}readelf" -d "$library" | grep -q 'BIND_NOW\|FLAGS.*NOW' || wrong "no full RELRO"
    ! "${tools}readelf" -d "$library" | grep -q TEXTREL || wrong "its code would be relocated"

    # Initial-exec (no __tls_get_addr above, no descriptor here) takes from the little room that the
    # loader keeps for it.
    ! "${tools}readelf" -rW "$library" | grep -q 'TLSDESC\|DTPMOD' || wrong "its TLS is dynamic"
    size=$(("$("${tools}readelf" -lW "$library" | awk '$1 == "TLS" { print $6 }')"))
    [ "$size" -le 16 ] || wrong "$size bytes of TLS"

    "${tools}strip" -o "$TEST_TMPDIR/stripped" "$library"
    size=$(stat -c %s "$TEST_TMPDIR/stripped")
    rm -f "$TEST_TMPDIR/stripped"
    # The aim is 64 KiB; the code of the others is larger, and AArch64's segments begin on 64 KiB pages.
    local limit=104448
    [[ $machine != *X86-64 ]] || limit=96256
    [ "$machine" != AArch64 ] || limit=147456
    [ "$size" -le "$limit" ] || wrong "$size bytes stripped, more than $limit"
    echo "$machine: $(wc -l <<<"$exported") exports, needs $needed, $versions, $size bytes stripped"
    return $status
}
