#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The lab's server: port 80 (and 86) speak HTTP, port 87 has a full accept queue.

Makes the file that its argument names when everything, the name servers included, answers.
"""
import http.server
import select
import socket
import struct
import sys
import threading


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 1024


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello from the lab\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def full_queue(family, address):
    """Nobody ever accepts: beyond the backlog the kernel drops each SYN."""
    listener = socket.socket(family)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((address, 87))
    listener.listen(0)
    waiting = [listener]
    while True:
        one = socket.socket(family)
        one.setblocking(False)
        one.connect_ex((address, 87))
        waiting.append(one)
        if not select.select([], [one], [], 0.5)[1]:
            return waiting


def answers(port, name):
    """Whether the name server at port answers a question for name at all."""
    query = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0)
    query += b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query += b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.1)
        try:
            asker.connect(("10.0.2.2", port))
            asker.send(query)
            return bool(asker.recv(512))
        except OSError:
            return False


def main():
    for port in (80, 86):
        server = Server(("::", port), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    kept = full_queue(socket.AF_INET, "10.0.2.2") + full_queue(socket.AF_INET6, "fd00:2::2")
    for port, name in ((5302, "nope.lab"), (53, "web.lab"), (5301, "web.lab")):
        while not answers(port, name):
            pass
    with open(sys.argv[1], "w", encoding="utf-8"):
        pass
    threading.Event().wait()
    return kept


main()
