#!/bin/bash
# SPDX-License-Identifier: MIT
# Each row of docs/limits.md, played: what the log does not hold, or holds instead. A row that has
# stopped being true fails here, so that the page is mended.
set -uo pipefail
PATH=$PATH:/usr/sbin:/sbin
if [ "${1-}" = sanitizer ]; then
    echo "SKIPPED: a sanitizer's runtime has to come before every preload library"
    exit 0
fi
library=$PWD/shim/libtcpdiag.so
blind=$PWD/tests/limits/blind
log=$TEST_TMPDIR/log
said=$TEST_TMPDIR/said
wrong=0
skipped=0

verdict() { # ROW OK WHAT
    if [ "$2" = 0 ]; then
        echo "as said  $1: $3"
    else
        echo "WRONG    $1: $3"
        [ ! -e "$log" ] || cat "$log"
        cat "$said"
        wrong=$((wrong + 1))
    fi
}
skip() {
    echo "SKIPPED  $1: $2"
    skipped=$((skipped + 1))
}
play() { # SCENE [NAME=VALUE...]: 0, or 3 where this machine cannot play it
    local scene=$1 status=0
    shift
    rm -f "$log"
    env "$@" TCPDIAG_WARN=1 TCPDIAG_LOG="$log" LD_PRELOAD="$library" "$blind" "$scene" >"$said" 2>&1 || status=$?
    [ $status -eq 0 ] || [ $status -eq 3 ] || verdict "$scene" 1 "the scene itself ended with $status"
    return $status
}
unseen() { # SCENE: no record at all
    play "$@" || { skip "$1" "$(cat "$said")"; return; }
    [ ! -s "$log" ]
    verdict "$1" $? "no record"
}
ends() { # SCENE PATTERN [NAME=VALUE...]: one end of a connect, which matches
    local scene=$1 pattern=$2
    shift 2
    play "$scene" "$@" || { skip "$scene" "$(cat "$said")"; return; }
    local end
    end=$(grep '"event":"connect","phase":"end"' "$log")
    [ "$(wc -l <<<"$end")" = 1 ] && grep -qE "$pattern" <<<"$end"
    verdict "$scene" $? "$pattern"
}
lacks() { # SCENE FIELD [NAME=VALUE...]: one end of a connect without the field
    local scene=$1 field=$2
    shift 2
    play "$scene" "$@" || { skip "$scene" "$(cat "$said")"; return; }
    local end
    end=$(grep '"event":"connect","phase":"end"' "$log") && ! grep -q "\"$field\"" <<<"$end"
    verdict "$scene" $? "no $field"
}
warned() { # ROW PATTERN COMMAND...: tcpdiag run says it before the start, and sees nothing
    local row=$1 pattern=$2
    shift 2
    rm -f "$log"
    tools/tcpdiag run -l "$log" -- "$@" >/dev/null 2>"$said"
    grep -q "$pattern" "$said" && [ ! -s "$log" ]
    verdict "$row" $? "$pattern"
}

# What is there to be seen without the limit.
ends plain_connect '"cause":"port-closed"'
ends not_deep_bound '"outcome":"refused"'

warned "static program" "statically linked" tests/limits/lonely
if [ "$(id -u)" = 0 ] && cp "$blind" "$TEST_TMPDIR/other" && chown nobody "$TEST_TMPDIR/other" 2>/dev/null &&
    chmod u+s "$TEST_TMPDIR/other"; then
    warned "set-user-ID program" "set-user-ID" "$TEST_TMPDIR/other" plain_connect
else
    skip "set-user-ID program" "only root can make one"
fi
# e_machine, at byte 18, becomes s390 (elf(5)), for which nobody builds the library.
cp "$blind" "$TEST_TMPDIR/foreign" && chmod u+w "$TEST_TMPDIR/foreign" &&
    printf '\x16' | dd of="$TEST_TMPDIR/foreign" bs=1 seek=18 conv=notrunc 2>"$said"
warned "program of another architecture" "another architecture" "$TEST_TMPDIR/foreign" plain_connect
if command -v go >/dev/null; then
    mkdir "$TEST_TMPDIR/go"
    cat >"$TEST_TMPDIR/go/main.go" <<'GO'
package main

import "net"

func main() { net.Dial("tcp", "127.0.0.1:1") }
GO
    (cd "$TEST_TMPDIR/go" && HOME=$TEST_TMPDIR GO111MODULE=off CGO_ENABLED=0 go build -o dial main.go)
    warned "Go program" "is a Go program" "$TEST_TMPDIR/go/dial"
else
    skip "Go program" "there is no Go compiler here"
fi
unseen raw_syscall
unseen deep_bound
unseen libc_by_handle
unseen io_uring
unseen own_namespace
unseen service_records
unseen name_of_an_address
unseen lookup_nowait
unseen datagram

lacks silent_blocking syn_retransmits
ends silent_nonblocking '"cause":"no-answer".*"syn_retransmits":[1-9]'
ends lost_race '"outcome":"abandoned"'
ends error_taken_by_sendfile '"cause":"port-closed"' # a reset is told all the same; see below
ends passed_on '"cause":"port-closed"'
ends third_number '"outcome":"abandoned"'
ends two_names '"server.address":"LOCALHOST"'

if play many_in_flight; then
    begins=$(grep -c '"phase":"begin"' "$log")
    number=$(grep -c '"phase":"end"' "$log")
    lost=$(grep -o '"lost":[0-9]*' "$log" | awk -F: '{ sum += $2 } END { print sum }')
    [ "$begins" = 4096 ] && [ "$number" = 4096 ] && [ "$lost" = 208 ] && grep -q 'the table holds' "$said"
    verdict many_in_flight $? "$number ends of $begins begins, $lost records lost, and a warning"
else
    skip many_in_flight "$(cat "$said")"
fi

# The rest needs a network of its own, which a user namespace may make.
own=(unshare --user --map-root-user --net --mount)
if "${own[@]}" true 2>"$said"; then
    # glibc's resolver asks over TCP; the listener says when it has been asked.
    rm -f "$log"
    "${own[@]}" bash -c '
        ip link set lo up
        echo "nameserver 127.0.0.1" >"$1/resolv.conf"
        mount --bind "$1/resolv.conf" /etc/resolv.conf || exit 9
        printf "hosts: dns\n" >"$1/nsswitch.conf"
        mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf || exit 9
        coproc python3 -c "
import socket
s = socket.create_server((\"127.0.0.1\", 53))
print(\"ready\", flush=True)
s.accept()[0].close()
print(\"asked\", flush=True)"
        exec 3<&"${COPROC[0]}"
        read -r word <&3
        RES_OPTIONS="use-vc attempts:1" TCPDIAG_LOG=$2 LD_PRELOAD=$3 "$4" resolver_over_tcp
        read -r word <&3 && [ "$word" = asked ]' - "$TEST_TMPDIR" "$log" "$library" "$blind" >"$said" 2>&1 &&
        grep -q '"event":"resolve","phase":"end"' "$log" && ! grep -q '"event":"connect"' "$log"
    verdict "glibc's own resolver" $? "a resolve, and no connect to the name server"

    # A firewall that forges the reset, in front of a port that is open.
    rm -f "$log"
    "${own[@]}" bash -c '
        ip link set lo up
        nft "add table inet f; add chain inet f c { type filter hook input priority 0; };
             add rule inet f c tcp dport 80 tcp flags & (syn|ack) == syn reject with tcp reset" || exit 9
        coproc python3 -c "
import socket
s = socket.create_server((\"127.0.0.1\", 80))
print(\"ready\", flush=True)
s.accept()"
        exec 3<&"${COPROC[0]}"
        read -r word <&3
        TCPDIAG_LOG=$1 LD_PRELOAD=$2 "$3" given_port 80
        kill "$COPROC_PID"' - "$log" "$library" "$blind" >"$said" 2>&1 &&
        grep -q '"cause":"port-closed"' "$log"
    verdict "forged reset" $? "port-closed, though the port is open behind the firewall"

    # More addresses than one answer of the kernel lists, and the firewall's is the last of them.
    rm -f "$log"
    "${own[@]}" env TCPDIAG_LOG="$log" LD_PRELOAD="$library" bash -c '
        unset LD_PRELOAD
        ip link set lo up
        for i in {1..150}; do echo "addr add 10.77.0.$i/32 dev lo"; done | ip -batch -
        ip link add v0 type veth peer name v1
        ip link set v0 up
        ip link set v1 up
        ip addr add 10.88.0.1/24 dev v0
        nft "add table inet f; add chain inet f c { type filter hook output priority 0; };
             add rule inet f c tcp dport 80 reject with icmp port-unreachable" || exit 9
        exec 3>/dev/tcp/10.88.0.77/80' - 2>"$said"
    grep -q '"outcome":"denied","cause":"local-firewall"' "$log"
    verdict "many addresses" $? "denied / local-firewall"

    # A firewall that says no with ICMP, and an error that is no longer or not ours to take.
    rm -f "$log"
    "${own[@]}" bash -c '
        ip link set lo up
        nft "add table inet f; add chain inet f c { type filter hook input priority 0; };
             add rule inet f c tcp dport 80 reject with icmpx port-unreachable" || exit 9
        TCPDIAG_LOG=$1 LD_PRELOAD=$2 "$3" passed_on 80' - "$log" "$library" "$blind" >"$said" 2>&1 &&
        grep -q '"outcome":"error","cause":"reason-unseen"' "$log"
    verdict "passed_on, ICMP" $? "reason-unseen"

    # A firewall that says with ICMP that it forbids the port.
    rm -f "$log"
    "${own[@]}" bash -c '
        ip link set lo up
        nft "add table inet f; add chain inet f c { type filter hook input priority 0; };
             add rule inet f c tcp dport 80 reject with icmpx admin-prohibited" || exit 9
        "$3" polled_after_failure 80
        TCPDIAG_LOG=$1 LD_PRELOAD=$2 "$3" polled_after_failure 80' \
        - "$log" "$library" "$blind" >"$said" 2>&1 &&
        [ "$(tail -n 2 "$said")" = "POLLERR
no POLLERR" ] && grep -q '"icmp.from":"127.0.0.1"' "$log"
    verdict polled_after_failure $? "POLLERR bare, none under the library"

    # A firewall that says with ICMPv6 that it forbids the port.
    for setting in 0 1; do
        rm -f "$log"
        "${own[@]}" bash -c '
            ip link set lo up
            nft "add table inet f; add chain inet f c { type filter hook input priority 0; };
                 add rule inet f c tcp dport 80 reject with icmpx admin-prohibited" || exit 9
            TCPDIAG_IPV6_RECVERR=$4 TCPDIAG_LOG=$1 LD_PRELOAD=$2 "$3" given_port_ipv6 80' \
            - "$log" "$library" "$blind" $setting >"$said" 2>&1
        end=$(grep '"event":"connect","phase":"end"' "$log")
        if [ $setting = 0 ]; then
            grep -q '"outcome":"no-route","errno"' <<<"$end" && ! grep -q '"icmp.from"' <<<"$end"
            verdict "given_port_ipv6" $? "no-route without cause and sender"
        else
            grep -q '"cause":"local-firewall".*"icmp.from":"::1"' <<<"$end"
            verdict "given_port_ipv6, TCPDIAG_IPV6_RECVERR=1" $? "local-firewall, by ::1"
        fi
    done
else
    skip "glibc's own resolver, forged reset, given_port_ipv6" "no user namespace: $(cat "$said")"
fi
echo "$wrong wrong, $skipped skipped"
[ "$wrong" = 0 ]
