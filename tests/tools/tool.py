# SPDX-License-Identifier: MIT
"""What the tests of the tools share: a folder of one's own, the tools as a user starts them, and
records as the library writes them."""
import ctypes.util
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

TCPDIAG = os.path.abspath("tools/tcpdiag")
PROBE = os.path.abspath("probe/tcpdiag-probe")
SANITIZER = "sanitizer" in sys.argv[1:]


def harmless_library():
    """A library that any program can have preloaded, by its path."""
    name = ctypes.util.find_library("m")
    places = [f"{folder}/{name}" for folder in
              glob.glob("/lib/*-linux-gnu*") + glob.glob("/usr/lib/*-linux-gnu*")
              + ["/lib64", "/usr/lib64", "/lib", "/usr/lib"]]
    return next(place for place in places if os.path.exists(place))


def machine_library():
    """The shim; a sanitizer's cannot be preloaded into a program that is built without it."""
    return harmless_library() if SANITIZER else None


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tcpdiag-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = self.path("log.jsonl")
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.folder}
        if machine_library():
            self.environment["TCPDIAG_LIBRARY"] = machine_library()

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, content, mode=0o644):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def start(self, *arguments, **more):
        more.setdefault("env", self.environment)
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(arguments, stdout=more.pop("stdout", subprocess.PIPE),
                                stderr=more.pop("stderr", subprocess.PIPE), cwd=self.folder,
                                start_new_session=True, **more)

    def tool(self, *arguments, program=TCPDIAG, input=None, extra=None, limit=60):
        """Exit status, standard output and standard error."""
        process = self.start(program, *arguments, env={**self.environment, **(extra or {})},
                             stdin=subprocess.PIPE)
        try:
            out, error = process.communicate(input or b"", timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"{arguments} hangs")
        return (process.returncode, out.decode("utf-8", "surrogateescape"),
                error.decode("utf-8", "surrogateescape"))

    def records(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def assertOneLine(self, text):
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.endswith("\n"), text)

    def assertNarrow(self, text):
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)


def needs_preload(function):
    return unittest.skipIf(SANITIZER, "a sanitizer's library cannot be preloaded")(function)


def closed_port():
    """A port of loopback on which nobody listens: bound, so that nobody else gets it."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound, bound.getsockname()[1]


def listening_port():
    server = socket.create_server(("127.0.0.1", 0))
    return server, server.getsockname()[1]


def silent_port():
    """A listener whose queue is full: the kernel drops further SYNs (listen(2))."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    kept = [server]
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(server.getsockname())
        kept.append(client)
    return kept, server.getsockname()[1]


def record(**fields):
    """A record of a refused connect; a field that is None is left out, "_" stands for "."."""
    whole = {
        "time": "2000-02-29T00:00:00.123456Z", "event": "connect", "phase": "end",
        "attempt": "1a-1", "outcome": "refused", "cause": "port-closed", "errno": "ECONNREFUSED",
        "duration_ms": 0.3, "server.address": "db.staging", "network.peer.address": "10.0.2.2",
        "network.peer.port": 5432, "network.type": "ipv4", "network.transport": "tcp",
        "process.pid": 4242, "thread.id": 4242, "process.executable.name": "app",
        "host.name": "elsewhere", "tcpdiag.version": "0.2.0", "message": "m",
    }
    whole.update({key.replace("__", "."): value for key, value in fields.items()})
    line = json.dumps({key: value for key, value in whole.items() if value is not None},
                      separators=(",", ":"))
    return (line + "\n").encode()


def begin(**fields):
    return record(**{"phase": "begin", "outcome": None, "cause": None, "errno": None,
                     "duration_ms": None, **fields})


def lookup(**fields):
    return record(**{"event": "resolve", "outcome": "dns", "cause": "name-not-found",
                     "errno": None, "gai": "EAI_NONAME", "network__peer__address": None,
                     "network__peer__port": None, "network__type": None,
                     "network__transport": None, **fields})


def lookup_begin(**fields):
    return lookup(**{"phase": "begin", "outcome": None, "cause": None, "gai": None,
                     "duration_ms": None, **fields})


class Loud(unittest.TextTestResult):
    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"SKIPPED: {test.id().removeprefix('__main__.')}: {reason}")


def main():
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Loud)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
