#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What docs/kernel-facts.md says of the kernel, measured: tests/lab/lab tests/facts/facts.py

Prints what a socket knows of each way in which a connect ends, then each fact that the design rests
on, and exits 1 if one does not hold on this kernel.
"""
import errno
import select
import socket
import struct
import sys
import time

import wire

IPV6_RECVERR, TCP_FASTOPEN_CONNECT, SO_INCOMING_CPU = 25, 30, 49
MSG_ERRQUEUE, TCP_SYNCNT, SYN_SENT, CLOSE = 0x2000, 7, 2, 7

# What is at an address and port of the lab (tests/lab/network.sh), and what IPv4 is to say of it:
# errno, state, and the sender's role and ICMP type and code where the queue has an error.
TABLE = [
    ("listening port", "2.2", 80, "", 1, None),
    ("closed port", "2.2", 79, "ECONNREFUSED", 7, None),
    ("host rejects: tcp reset", "2.2", 83, "ECONNREFUSED", 7, None),
    ("router rejects: tcp reset", "2.2", 93, "ECONNREFUSED", 7, None),
    ("host rejects: port-unreachable", "2.2", 81, "ECONNREFUSED", 2, ("2.2", 3, 3)),
    ("router rejects: port-unreachable", "2.2", 91, "ECONNREFUSED", 2, ("1.1", 3, 3)),
    ("host rejects: admin-prohibited", "2.2", 84, "EHOSTUNREACH", 2, ("2.2", 3, 13)),
    ("router rejects: admin-prohibited", "2.2", 94, "EHOSTUNREACH", 2, ("1.1", 3, 13)),
    ("host rejects: host-unreachable", "2.2", 85, "EHOSTUNREACH", 2, ("2.2", 3, 1)),
    ("router: prohibit route", "7.1", 80, "EHOSTUNREACH", 2, ("1.1", 3, 13)),
    ("router: unreachable route", "8.1", 80, "EHOSTUNREACH", 2, ("1.1", 3, 1)),
    ("routing loop", "6.1", 80, "EHOSTUNREACH", 2, ("any", 11, 0)),
    ("absent host on the link", "1.77", 80, "EHOSTUNREACH", 7, ("1.2", 3, 1)),
    ("absent host behind the router", "2.77", 80, "EHOSTUNREACH", 7, ("1.1", 3, 1)),
    ("own firewall rejects: port-unreachable", "2.2", 71, "ECONNREFUSED", 2, ("1.2", 3, 3)),
    ("own firewall rejects: admin-prohibited", "2.2", 74, "EHOSTUNREACH", 2, ("1.2", 3, 13)),
    ("own prohibit route", "7.0.1", 80, "EACCES", 7, None),
    ("own unreachable route", "8.0.1", 80, "EHOSTUNREACH", 7, None),
    ("own blackhole route", "9.0.1", 80, "EINVAL", 7, None),
    ("no route at all", "192.0.2.1", 80, "ENETUNREACH", 7, None),
    ("host drops", "2.2", 82, "ETIMEDOUT", 7, None),
    ("router drops", "2.2", 92, "ETIMEDOUT", 7, None),
    ("own firewall drops", "2.2", 72, "ETIMEDOUT", 7, None),
    ("accept queue full", "2.2", 87, "ETIMEDOUT", 7, None),
]


def full(short):
    return short if short.count(".") == 3 else "10." + ("0." if short.count(".") == 1 else "") + short


def tcp_info(sock):
    """(tcpi_state, tcpi_total_retrans): struct tcp_info in linux/tcp.h."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return info[0], struct.unpack_from("I", info, 100)[0]


def queue(sock):
    """[(sender, type, code)] of the error queue, which is empty afterwards."""
    entries = []
    while True:
        try:
            _, messages, _, _ = sock.recvmsg(1, 512, MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return entries
        for _, _, data in messages:
            _, origin, kind, code, _, _, _ = struct.unpack_from("=IBBBBII", data)
            if origin == 2:
                entries.append((socket.inet_ntop(socket.AF_INET, data[20:24]), kind, code))
            elif origin == 3:
                entries.append((socket.inet_ntop(socket.AF_INET6, data[24:40]), kind, code))


def start(address, port, option=None):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setblocking(False)
    if option:
        sock.setsockopt(*option, 1)
    return sock, sock.connect_ex((address, port))


def wait(sock):
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    poll.poll()


def take_error(sock):
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def ended(address, port, option=None):
    """A non-blocking connect that has ended, its error not yet taken."""
    sock, error = start(address, port, option)
    assert error == errno.EINPROGRESS, error
    wait(sock)
    return sock


def show_table():
    """All at once: the silent ones take seven seconds here (tcp_syn_retries is 2 in the lab)."""
    good, poll, waiting, rows = True, select.poll(), {}, {}
    for row in TABLE:
        begin = time.monotonic()
        sock, error = start(full(row[1]), row[2])
        if error == errno.EINPROGRESS:
            poll.register(sock, select.POLLOUT)
            waiting[sock.fileno()] = (row, sock, begin)
        else:
            rows[row] = (error, begin, time.monotonic(), tcp_info(sock), queue(sock), sock.getsockname()[1])
    while waiting:
        for fd, _ in poll.poll():
            row, sock, begin = waiting.pop(fd)
            poll.unregister(fd)
            end, info, port = time.monotonic(), tcp_info(sock), sock.getsockname()[1]
            rows[row] = (take_error(sock), begin, end, info, queue(sock), port)
    print("%-38s %-13s %8s %5s %5s  %s" % ("", "errno", "ms", "state", "again", "error queue"))
    for row in TABLE:
        error, begin, end, (state, again), entries, port = rows[row]
        name = errno.errorcode[error] if error else ""
        text = ", ".join("%s type %d code %d" % entry for entry in entries)
        wanted = row[5] and (full(row[5][0]), row[5][1], row[5][2])
        told = entries[-1] if entries else None
        if wanted and row[5][0] == "any" and told:
            wanted = (told[0],) + wanted[1:]
        same = name == row[3] and state == row[4] and told == wanted
        if row[0].startswith(("own prohibit", "own unreach", "own blackhole", "no route")):
            same = same and port == 0  # no source port was taken: nothing was sent
        good = good and same
        print("%-38s %-13s %8.1f %5d %5d  %s%s" % (row[0], name or "-", (end - begin) * 1000, state, again,
                                                  text or "-", "" if same else "   NOT AS SAID"))
    return good


def ipv4_queues_without_being_asked():
    """IPv4 puts the ICMP error on the queue though nobody has set IP_RECVERR."""
    return queue(ended("10.0.2.2", 91)) == [("10.0.1.1", 3, 3)]


def ipv6_queues_only_when_asked():
    """IPv6 does so only where IPV6_RECVERR was set before."""
    asked = queue(ended("fd00:2::2", 91, (socket.IPPROTO_IPV6, IPV6_RECVERR)))
    return queue(ended("fd00:2::2", 91)) == [] and asked == [("fd00:1::1", 1, 4)]


def wire_closes():
    """An ICMP error that arrives later, as from any real network, closes the socket: state 7."""
    return [tcp_info(ended(wire.ADDRESS, port))[0] for port in wire.CODES] == [CLOSE] * 3


def wire_queue_takes_the_error():
    """Reading the queue then takes the pending error away: SO_ERROR is 0 afterwards."""
    sock = ended(wire.ADDRESS, 1)
    return queue(sock) == [(wire.ROUTER, 3, 3)] and take_error(sock) == 0


def wire_queue_outlives_so_error():
    """After SO_ERROR was taken the queue still has the ICMP error."""
    sock = ended(wire.ADDRESS, 1)
    return take_error(sock) == errno.ECONNREFUSED and queue(sock) == [(wire.ROUTER, 3, 3)]


def wire_blocking_queue():
    """A blocking connect fails with it at once, and the queue has it afterwards."""
    sock, begin = socket.socket(), time.monotonic()
    error = sock.connect_ex((wire.ADDRESS, 2))
    return (error == errno.EHOSTUNREACH and time.monotonic() - begin < 0.9
            and queue(sock) == [(wire.ROUTER, 3, 13)])


def inside_is_soft():
    """One that arrives inside the call that sent the SYN (this machine's own rules; veth) is a soft error:
    poll reports it and SO_ERROR has it, but the socket stays in state 2 and the queue takes nothing away."""
    sock = ended("10.0.2.2", 71)
    return tcp_info(sock)[0] == SYN_SENT and queue(sock) != [] and take_error(sock) == errno.ECONNREFUSED


def so_error_is_given_once():
    """SO_ERROR hands the error out once."""
    sock = ended("10.0.2.2", 79)
    return (take_error(sock), take_error(sock)) == (errno.ECONNREFUSED, 0)


def tcp_info_takes_nothing():
    """TCP_INFO changes nothing: the error and the queue are still there."""
    sock = ended("10.0.2.2", 91)
    tcp_info(sock)
    return take_error(sock) == errno.ECONNREFUSED and queue(sock) != []


def incoming_cpu_tells_a_reset():
    """SO_INCOMING_CPU is -1 until a TCP segment has come: a reset touches it, an ICMP error does not, also
    for IPv6 and after a blocking connect has failed."""
    cpus = []
    for port in (79, 91):
        sock = socket.socket(socket.AF_INET6)
        cpus.append(sock.getsockopt(socket.SOL_SOCKET, SO_INCOMING_CPU))
        assert sock.connect_ex(("fd00:2::2", port)) == errno.ECONNREFUSED
        cpus.append(sock.getsockopt(socket.SOL_SOCKET, SO_INCOMING_CPU))
    return cpus[0] == cpus[2] == cpus[3] == -1 and cpus[1] >= 0


def blocking_fails_a_second_late():
    """An ICMP error that meets a blocking connect inside the call that sent the SYN does not
    end it: the connect fails with the next SYN, a second later."""
    sock, begin = socket.socket(), time.monotonic()
    error = sock.connect_ex(("10.0.2.2", 71))
    return error == errno.ECONNREFUSED and time.monotonic() - begin > 0.9


def blocking_forgets():
    """A blocking connect that failed has reset the socket: state 7, no retransmissions, no source address."""
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 1)
    error = sock.connect_ex(("10.0.2.2", 82))
    return error == errno.ETIMEDOUT and tcp_info(sock) == (CLOSE, 0) and sock.getsockname()[0] == "0.0.0.0"


def pending_counts():
    """A connect that is pending is in state 2 and counts the SYNs that were sent again."""
    sock, _ = start("10.0.2.2", 82)
    before = tcp_info(sock)
    while tcp_info(sock) == before:
        time.sleep(0.01)
    return before == (SYN_SENT, 0) and tcp_info(sock) == (SYN_SENT, 1)


def fast_open_succeeds_before_the_handshake():
    """TCP_FASTOPEN_CONNECT with a cookie: connect returns 0 in state 2 or 7, before anything was sent."""
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w", encoding="ascii") as setting:
        setting.write("3")
    server = socket.create_server(("127.0.0.1", 0))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8)
    states = []
    for _ in range(2):  # the first fetches the cookie
        client = socket.socket()
        client.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        client.connect(server.getsockname())
        states.append(tcp_info(client)[0])
        client.send(b"x")
        server.accept()[0].close()
        client.close()
    return states[1] in (SYN_SENT, CLOSE)


FACTS = [ipv4_queues_without_being_asked, ipv6_queues_only_when_asked, so_error_is_given_once,
         tcp_info_takes_nothing, incoming_cpu_tells_a_reset, inside_is_soft, blocking_fails_a_second_late, blocking_forgets,
         pending_counts, fast_open_succeeds_before_the_handshake]
OVER_THE_WIRE = [wire_closes, wire_queue_takes_the_error, wire_queue_outlives_so_error, wire_blocking_queue]


def main():
    good = show_table()
    print()
    over_the_wire = OVER_THE_WIRE if wire.lay() else []
    for fact in FACTS + over_the_wire:
        holds = fact()
        good = good and holds
        print("%s  %s" % ("holds" if holds else "FAILS", " ".join(fact.__doc__.split())))
    if not over_the_wire:
        print("SKIPPED: %d facts of a wire that takes time: no TUN device here" % len(OVER_THE_WIRE))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
