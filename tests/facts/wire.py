# SPDX-License-Identifier: MIT
"""A wire that takes time, made of a TUN device: each SYN to 10.98.0.1 is answered after a while with an
ICMP error. Between namespaces (veth) the answer arrives inside the system call that sent the SYN, which
no real network does."""
import fcntl
import os
import socket
import struct
import subprocess
import threading
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
ADDRESS, ROUTER = "10.98.0.1", "10.99.0.254"
CODES = {1: 3, 2: 13, 3: 1}  # port: code of "destination unreachable"


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def icmp_error(packet, code):
    """Destination unreachable, about the packet (RFC 792)."""
    body = struct.pack("!BBHI", 3, code, 0, 0) + packet[:28]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0, socket.inet_aton(ROUTER), packet[12:16])
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def answer(tun, delay):
    while True:
        packet = os.read(tun, 2048)
        if packet[0] >> 4 == 4 and packet[9] == 6:
            time.sleep(delay)
            os.write(tun, icmp_error(packet, CODES[struct.unpack("!H", packet[22:24])[0]]))


def lay(delay=0.02):
    """True when it lies there; else this machine has no TUN device for us."""
    try:
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"wire", IFF_TUN | IFF_NO_PI))
    except OSError:
        return False
    for command in ("ip addr add 10.99.0.1/24 dev wire", "ip link set wire up", "ip route add 10.98.0.0/16 dev wire"):
        subprocess.run(command.split(), check=True)
    threading.Thread(target=answer, args=(tun, delay), daemon=True).start()
    return True
