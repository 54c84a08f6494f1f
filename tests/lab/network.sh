#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the network in the namespaces that `lab` has made, then runs its arguments in the client.
#
# TCP port        who does what
#   80            the server answers (HTTP)
#   79            nothing listens there
#   81 83 84 85   the server rejects: icmp port-unreachable, tcp reset, admin-prohibited,
#                 host-unreachable
#   82            the server drops
#   86            the server drops the first SYN of each connection
#   87            the server's accept queue is full
#   91 93 94 95   the router rejects, in the same ways; 92 it drops
#   71 73 74      the client's own firewall rejects, in the same ways; 72 it drops
#
# Address         what is there (IPv6: fd00:N:: for 10.0.N.0)
#   10.0.1.177    nobody, on the client's own link, as on the eleven addresses after it
#   10.0.2.77     nobody, behind the router
#   10.0.5.2      the server, over a link that takes 5 ms (router 10.0.4.1, client 10.0.4.2);
#                 only where there is a TUN device: then there is /run/lab/wire
#   10.0.6.1      a routing loop between router and server
#   10.0.7.1      a prohibit route on the router; 10.0.8.1 unreachable, 10.0.9.1 blackhole
#   10.7.0.1      a prohibit route on the client; 10.8.0.1 unreachable, 10.9.0.1 blackhole
#   192.0.2.1     no route on the client at all (IPv6: 2001:db8::1)
#
# Name            what the name server says
#   web.lab       10.0.2.2 and fd00:2::2;  v4.lab and v6.lab: only the one
#   nodata.lab    it exists, and has no address
#   nope.lab      there is no such name (NXDOMAIN)
#   x.refused.lab, x.servfail.lab, x.silent.lab: REFUSED, SERVFAIL, nothing
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

in_router() { ip netns exec router "$@"; }
in_server() { ip netns exec server "$@"; }

# The client's own /etc, so that the machine's resolver settings play no part.
own_etc() {
    mount -t tmpfs none /run
    mkdir -p /run/netns /run/lab/etc
    cp -a /etc/. /run/lab/etc 2>/dev/null || true # what this user may not read is not needed
    rm -rf /run/lab/etc/{resolv.conf,nsswitch.conf,hosts,gai.conf,netns}
    echo 'nameserver 10.0.2.2
options timeout:1 attempts:1' >/run/lab/etc/resolv.conf
    echo 'passwd: files
group: files
hosts: files dns
services: files' >/run/lab/etc/nsswitch.conf
    echo '127.0.0.1 localhost
::1 localhost' >/run/lab/etc/hosts
    mount --bind /run/lab/etc /etc
}

links() {
    ip netns add router
    ip netns add server
    ip link add c0 type veth peer name r0 netns router
    ip -n router link add r1 type veth peer name s0 netns server
    address c0 1::2/64 1.2/24
    address r0 1::1/64 1.1/24 router
    address r1 2::1/64 2.1/24 router
    address s0 2::2/64 2.2/24 server
    ip link set lo up
    ip -n router link set lo up
    ip -n server link set lo up
    local setting
    for setting in ip_forward=1 icmp_ratelimit=0 icmp_msgs_per_sec=100000 icmp_msgs_burst=100000; do
        in_router sysctl -qw "net.ipv4.$setting" 2>/dev/null || true # the last two: not in a namespace
        in_server sysctl -qw "net.ipv4.$setting" 2>/dev/null || true
    done
    sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
    in_router sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0
    in_server sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0
    # The kernel's own 130 seconds, cut to 7: two SYNs sent again instead of six. With one it would
    # give up at the moment at which ARP does.
    sysctl -qw net.ipv4.tcp_syn_retries=2 net.ipv4.ping_group_range='0 0'
}

address() { # LINK IPV6 IPV4 [NAMESPACE]
    local at=(ip)
    (($# < 4)) || at=(ip -n "$4")
    "${at[@]}" addr add "10.0.$3" dev "$1"
    "${at[@]}" -6 addr add "fd00:$2" dev "$1" nodad
    "${at[@]}" link set "$1" up
}

wire() {
    "$here/wire.py" /run/lab/wire 2>>/run/lab/servers.log &
    local carrier=$!
    until [ -e /run/lab/wire ]; do
        kill -0 $carrier 2>/dev/null || return 0 # no TUN device: the rows that need it are skipped
        sleep 0.01
    done
    ip link set w1 netns router
    address w0 4::2/64 4.2/24
    address w1 4::1/64 4.1/24 router
    ip -n server addr add 10.0.5.2/24 dev s0
    ip -n server -6 addr add fd00:5::2/64 dev s0 nodad
    ip route add 10.0.5.0/24 via 10.0.4.1
    ip -6 route add fd00:5::/64 via fd00:4::1
    ip -n router route add 10.0.5.0/24 via 10.0.2.2
    ip -n router -6 route add fd00:5::/64 via fd00:2::2
}

routes() {
    ip route add 10.0.0.0/16 via 10.0.1.1
    ip -6 route add fd00::/16 via fd00:1::1
    ip -n server route add default via 10.0.2.1
    ip -n server -6 route add default via fd00:2::1
    # A source address for each client's destination: see OWN_HOST in rows.py.
    local which
    for ((which = 1; which <= 16; which++)); do
        ip addr add 10.0.1.$((100 + which))/24 dev c0
        ip route add "10.0.7.$which" via 10.0.1.1 src "10.0.1.$((100 + which))"
        ip route add "10.0.8.$which" via 10.0.1.1 src "10.0.1.$((100 + which))"
    done
    ip -n router route add 10.0.6.0/24 via 10.0.2.2
    ip -n router -6 route add fd00:6::/64 via fd00:2::2
    local type
    for type in "7 prohibit" "8 unreachable" "9 blackhole"; do
        ip -n router route add "${type#* }" "10.0.${type% *}.0/24"
        ip -n router -6 route add "${type#* }" "fd00:${type% *}::/64"
        ip route add "${type#* }" "10.${type% *}.0.0/16"
        ip -6 route add "${type#* }" "fd00:10${type% *}::/64"
    done
}

firewall() { # HOOK FIRST-DIGIT MORE-RULES
    cat <<RULES
table inet lab {
    $4
    chain $1 {
        type filter hook $1 priority 0;
        $3
        tcp dport ${2}1 reject with icmpx port-unreachable
        tcp dport ${2}2 drop
        tcp dport ${2}3 reject with tcp reset
        tcp dport ${2}4 reject with icmpx admin-prohibited
        tcp dport ${2}5 reject with icmpx host-unreachable
    }
}
RULES
}

firewalls() {
    local sets='set seen4 { type ipv4_addr . inet_service; flags dynamic; timeout 30s; }
    set seen6 { type ipv6_addr . inet_service; flags dynamic; timeout 30s; }'
    local first='tcp dport 86 tcp flags syn ip saddr . tcp sport != @seen4 add @seen4 { ip saddr . tcp sport } drop
        tcp dport 86 tcp flags syn ip6 saddr . tcp sport != @seen6 add @seen6 { ip6 saddr . tcp sport } drop'
    firewall input 8 "$first" "$sets" | in_server nft -f -
    firewall forward 9 "" "" | in_router nft -f -
    firewall output 7 "" "" | nft -f -
}

servers() {
    exec {said}>/run/lab/servers.log
    local quiet=(--conf-file=/dev/null --no-daemon --log-facility=- --no-resolv --no-hosts
        --bind-interfaces --pid-file)
    # A validator whose trust anchor nothing is signed with: SERVFAIL for every name.
    in_server dnsmasq "${quiet[@]}" --port=5301 --listen-address=10.0.2.2 --server=10.0.2.2#5302 --dnssec \
        --trust-anchor=.,20326,8,2,E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D \
        --dnssec-no-timecheck 2>&$said &
    # Knows of nothing under lab, and has nobody to ask about refused.lab: REFUSED.
    in_server dnsmasq "${quiet[@]}" --port=5302 --listen-address=10.0.2.2 --local=/lab/ \
        --server=/refused.lab/# 2>&$said &
    in_server dnsmasq "${quiet[@]}" --listen-address=10.0.2.2,fd00:2::2 --local=/lab/ \
        --host-record=web.lab,10.0.2.2,fd00:2::2 --host-record=v4.lab,10.0.2.2 \
        --host-record=v6.lab,fd00:2::2 --txt-record=nodata.lab,nothing --server=/servfail.lab/10.0.2.2#5301 \
        --server=/refused.lab/10.0.2.2#5302 --server=/silent.lab/10.0.2.77 2>&$said &
    in_server python3 "$here/listeners.py" /run/lab/ready 2>&$said &
    local listeners=$!
    exec {said}>&-
    until [ -e /run/lab/ready ]; do
        if ! kill -0 $listeners 2>/dev/null; then
            echo "lab: the servers do not start" >&2
            cat /run/lab/servers.log >&2
            exit 1
        fi
        sleep 0.02
    done
}

own_etc
links
wire
routes
firewalls
servers
set +e
"$@"
