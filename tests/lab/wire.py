#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A link that takes time: two TUN devices, and a process that carries each packet across.

Between namespaces (veth) an answer arrives inside the system call that asked. No real network is
so fast, and the kernel takes an ICMP error in another way when it comes later (tcp_v4_err in
net/ipv4/tcp_ipv4.c looks whether the socket is in use). Makes the devices w0 and w1 and the file
that its argument names, then carries until it is killed. Exits 1 where there is no TUN device.
"""
import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000  # linux/if_tun.h
DELAY = 0.005


def device(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name, IFF_TUN | IFF_NO_PI))
    return tun


def put(tun, packet):
    try:
        os.write(tun, packet)
    except OSError:
        pass  # the device is not up yet, or its queue is full: packets are lost on wires


def carry(left, right):
    other = {left: right, right: left}
    under_way = collections.deque()  # (due, device, packet): all take as long, so in order
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for tun in select.select(list(other), [], [], wait)[0]:
            under_way.append((time.monotonic() + DELAY, other[tun], os.read(tun, 65536)))
        while under_way and under_way[0][0] <= time.monotonic():
            put(*under_way.popleft()[1:])


def main():
    try:
        ends = device(b"w0"), device(b"w1")
    except OSError as error:
        print("wire: no TUN device: %s" % error, file=sys.stderr)
        return 1
    with open(sys.argv[1], "w", encoding="utf-8"):
        pass
    return carry(*ends)


sys.exit(main())
