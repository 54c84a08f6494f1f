# SPDX-License-Identifier: MIT
"""What the tests of the prober share."""
import json
import os
import pty
import select
import sys

import jsonschema

sys.path.insert(0, "tests/tools")
from tool import Case, PROBE  # noqa: E402


class ProberCase(Case):
    def probe(self, *arguments, **more):
        """Exit status, standard output and standard error."""
        return self.tool(*map(str, arguments), program=PROBE, **more)

    def records_and_answers(self, out):
        """What --json writes: the records, and the lines between them, which hold against their
        schema."""
        with open("docs/probe-evidence.schema.json", encoding="utf-8") as file:
            validator = jsonschema.Draft202012Validator(json.load(file))
        lines = [json.loads(line) for line in out.splitlines()]
        answers = [line for line in lines if "time" not in line]
        for line in answers:
            validator.validate(line)
        return [line for line in lines if "time" in line], answers

    def begin(self, *arguments, **more):
        process = self.start(PROBE, *map(str, arguments), **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for file in (process.stdin, process.stdout, process.stderr):
            if file:
                file.close()

    def handles_interrupts(self, process):
        """Returns once the process has its handler for SIGINT."""
        while True:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                caught = next(line for line in status if line.startswith("SigCgt:"))
            if int(caught.split()[1], 16) & 1 << 1:
                return
            self.assertIsNone(process.poll())

    def has_syn_sent(self, process, port):
        """Returns once a connect to the port is under way."""
        wanted = f":{port:04X} 02 "
        while True:
            with open(f"/proc/{process.pid}/net/tcp", encoding="ascii") as table:
                if any(wanted in line for line in table):
                    return
            self.assertIsNone(process.poll())

    def on_terminal(self, *arguments, extra=None):
        """A process with a terminal of 80 columns for standard output and standard error, and the
        terminal's other end."""
        ours, theirs = pty.openpty()
        process = self.begin(*arguments, stdout=theirs, stderr=theirs,
                             env={**self.environment, "TERM": "xterm", "LANG": "C.UTF-8",
                                  **(extra or {})})
        os.close(theirs)
        self.addCleanup(os.close, ours)
        return process, ours

    def read_terminal(self, terminal, until=None, limit=30):
        """What the terminal shows, up to a word or to its end."""
        seen = b""
        while until is None or until not in seen:
            if not select.select([terminal], [], [], limit)[0]:
                self.fail(f"nothing more after {seen}")
            try:
                seen += os.read(terminal, 65536)
            except OSError:  # EIO: nobody has the other end any more
                break
        return seen.decode()
