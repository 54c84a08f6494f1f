#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Name servers that behave in each way that a name server can, on addresses of loopback.

127.0.2.1 and ::1 know RECORDS and the root    127.0.2.2 refuses everything
127.0.2.3 answers SERVFAIL to everything       127.0.2.4 says nothing, ever
127.0.2.5 nobody listens there                 127.0.2.6 knows the root and says NXDOMAIN else
127.0.2.7 answers nonsense                     127.0.2.8 drops the first packet of each question
127.0.2.9 refuses the root, is silent else
"""
import selectors
import socket
import struct

A, NS, TXT, AAAA = 1, 2, 16, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
RECORDS = {
    b"both.test": {A: b"\x0a\x00\x03\x02", AAAA: socket.inet_pton(socket.AF_INET6, "fd00:3::2")},
    b"v4only.test": {A: b"\x0a\x00\x03\x02"},
    b"v6only.test": {AAAA: socket.inet_pton(socket.AF_INET6, "fd00:3::2")},
    b"empty.test": {TXT: b"\x00"},
    b"db.corp.test": {A: b"\x0a\x00\x03\x02"},
    b"bare": {A: b"\x0a\x00\x03\x02"},
    b"": {NS: b"\x01a\x0croot-servers\x03net\x00"},
}


def question_of(packet):
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]])
        at += 1 + packet[at]
    return b".".join(labels).lower(), struct.unpack(">H", packet[at + 1:at + 3])[0], packet[12:at + 5]


def answer(packet, rcode, question, data=None, kind=0):
    header = packet[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, data is not None, 0, 0)
    record = b""
    if data is not None:
        record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return header + question + record


def know(packet, only_root=False):
    name, kind, question = question_of(packet)
    if name == b"broken.test":
        return answer(packet, SERVFAIL, question)
    if name not in RECORDS or (only_root and name):
        return answer(packet, NXDOMAIN, question)
    return answer(packet, NOERROR, question, RECORDS[name].get(kind), kind)


seen = set()


def lossy(packet):
    first = packet[:2] not in seen
    seen.add(packet[:2])
    return None if first else know(packet)


def local(packet):
    name, _, question = question_of(packet)
    return None if name else answer(packet, REFUSED, question)


BEHAVIOURS = {
    "127.0.2.1": know,
    "::1": know,
    "127.0.2.2": lambda packet: answer(packet, REFUSED, question_of(packet)[2]),
    "127.0.2.3": lambda packet: answer(packet, SERVFAIL, question_of(packet)[2]),
    "127.0.2.4": lambda packet: None,
    "127.0.2.6": lambda packet: know(packet, only_root=True),
    "127.0.2.7": lambda packet: packet[:2] + b"nonsense",
    "127.0.2.8": lossy,
    "127.0.2.9": local,
}

selector = selectors.DefaultSelector()
for address, behaviour in BEHAVIOURS.items():
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    selector.register(server, selectors.EVENT_READ, behaviour)
print("listening", flush=True)
while True:
    for key, _ in selector.select():
        query, client = key.fileobj.recvfrom(4096)
        reply = key.data(query)
        if reply is not None:
            key.fileobj.sendto(reply, client)
