# SPDX-License-Identifier: MIT
"""The programs that run in each row, unmodified, and how each is told a destination."""
import os
from collections import namedtuple

# blocking: how it connects; None where it is not ours to know (it may change with its version).
Client = namedtuple("Client", "name blocking command")


def url(host, port):
    return "http://%s:%s/" % ("[%s]" % host if ":" in host else host, port)


def python(timeout):
    return ("import socket, sys; socket.create_connection((sys.argv[1], sys.argv[2])%s)" %
            (", %s" % timeout if timeout else ""))


# It is no program under the library: its own records are looked at, and it asks for every error.
PROBER = "pr"

NODE = ("const s = require('net').connect({host: process.argv[1], port: +process.argv[2],"
        " autoSelectFamily: false});"
        "s.on('connect', () => process.exit(0));"
        "s.on('error', e => { console.error(e.message); process.exit(1) })")


def c_client(how):
    return lambda host, port: ["tests/lab/client", how, host, str(port)]


CLIENTS = [
    Client("Cb", True, c_client("blocking")),
    Client("Cp", False, c_client("poll")),
    Client("Ce", False, c_client("epoll")),
    Client("Cw", False, c_client("write")),
    Client("cu", False, lambda h, p: ["curl", "-gsS", "-o", "/dev/null", url(h, p)]),
    Client("wg", True, lambda h, p: ["wget", "-nv", "-t1", "-T0", "-O/dev/null", url(h, p)]),
    Client("nc", None, lambda h, p: ["nc", "-zv", h, str(p)]),
    Client("tn", True, lambda h, p: ["telnet", h, str(p)]),
    Client("sh", True, lambda h, p: ["bash", "-c", 'exec 3<>"/dev/tcp/$0/$1"', h, str(p)]),
    Client("py", True, lambda h, p: ["python3", "-c", python(None), h, str(p)]),
    Client("pt", False, lambda h, p: ["python3", "-c", python(30), h, str(p)]),
    Client("nd", False, lambda h, p: ["node", "-e", NODE, h, str(p)]),
    Client(PROBER, False, lambda h, p: [os.environ["TCPDIAG_PROBE"], "--json", "--quiet", "--no-control",
                                        "--timeout", "30", h, str(p)]),
]

LEGEND = ("Cb Cp Ce Cw: C programs that block, poll, epoll, and write without asking for SO_ERROR; "
          "cu curl, wg wget, nc netcat, tn telnet, sh bash's /dev/tcp, py and pt Python without and "
          "with a time limit, nd Node; pr tcpdiag-probe, by itself, not under the library")

IMPATIENT = [
    Client("Cp", False, c_client("patience")),
    Client("cu", False, lambda h, p: ["curl", "-gsS", "--connect-timeout", "1.5", "-o",
                                        "/dev/null", url(h, p)]),
    Client("nc", False, lambda h, p: ["nc", "-zv", "-w2", h, str(p)]),
    Client("pt", False, lambda h, p: ["python3", "-c", python(1.5), h, str(p)]),
    Client("sh", True, lambda h, p: ["timeout", "2", *CLIENTS[8].command(h, p)]),
]

# Those that take a service's name; the others check the port themselves before they ask anybody.
SERVICE_CLIENTS = {"Cb", "py", "tn", "sh"}


