#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples of the documentation, so that their output is what the programs really say.

examples.py [--check] BIN PAGE...: BIN is the folder of the built programs. An example is a block
that follows a mark "run by docs/update" or "run by docs/update in the lab" (as the client of
tests/lab): the lines after "$ " are commands of the shell, those below are what they wrote, of
standard output and of standard error. Times, durations and process numbers may differ from run to
run; where anything else does, be it a blank or the end of a line, the block is written anew. A page
of the manual has fewer columns than a terminal: there longer lines are folded. With --check nothing is
written: the pages that differ are named, and the exit status is 1.
"""
import os
import re
import subprocess
import sys
import tempfile
import textwrap

MARKDOWN = re.compile(r"(?P<head>^<!-- run by docs/update(?P<lab> in the lab)? -->\n```console\n)(?P<body>.*?)(?P<tail>^```\n)", re.M | re.S)
MDOC = re.compile(r'(?P<head>^\.\\" run by docs/update(?P<lab> in the lab)?\n\.Bd -literal[^\n]*\n)(?P<body>.*?)(?P<tail>^\.Ed\n)', re.M | re.S)
NO_LAB = 77  # tests/lab/lab: this user may not make namespaces
COLUMNS = {MARKDOWN: None, MDOC: 74}


def from_roff(text):
    return text.replace("\\&", "").replace("\\-", "-").replace("\\e", "\\")


def to_roff(text):
    text = text.replace("\\", "\\e")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.M)


def commands_of(body):
    """[(the command as it stands, its output)]"""
    parts = re.split(r"^\$ ", body, flags=re.M)[1:]
    pairs = []
    for part in parts:
        match = re.match(r"(?:.*[\\|]\n)*.*\n", part)
        pairs.append((match[0], part[match.end():]))
    return pairs


def comparable(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r'"(duration_ms|rtt_ms|process.pid|thread.id)":( ?)[\d.]+', r'"\1":\2N', text)
    text = re.sub(r'"(attempt|host.name)":( ?)"[^"]*"', r'"\1":\2"N"', text)
    # In a column a longer duration has fewer blanks in front of it.
    return re.sub(r" +\d+(\.\d+)? ms", " N ms", text)


def folded(text, columns):
    """Within the columns of the page, if it has any. The tools wrap at 80 with an indent of 7 and more."""
    if columns is None:
        return text
    whole = []
    for line in text.splitlines():
        indent = re.match(" *", line)[0]
        if len(indent) >= 7 and whole:
            whole[-1] = (whole[-1][0] + " " + line.strip(), indent)
        else:
            whole.append((line, indent + "    "))
    lines = []
    for line, indent in whole:
        lines += textwrap.wrap(line, columns, subsequent_indent=indent, break_long_words=False,
                               break_on_hyphens=False) or [""]
    return "\n".join(lines) + "\n" if lines else ""


def run(command, folder, programs, lab):
    path = ":".join([os.path.join(programs, "tools"), os.path.join(programs, "probe"), "/usr/bin:/bin:/usr/sbin:/sbin"])
    words = ["bash", "-c", "PATH=%s\n%s" % (path, command)]
    if lab:
        words.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/lab/lab"))
    result = subprocess.run(words, cwd=folder, env={"HOME": folder, "LC_ALL": "C", "PATH": path}, text=True,
                            timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return None if lab and result.returncode == NO_LAB else result.stdout


def new_page(text, programs):
    """The page with its examples run, and how many there are."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(programs, os.path.join(folder, "bazel-bin"))
        for pattern in (MARKDOWN, MDOC):
            decode, encode = (from_roff, to_roff) if pattern is MDOC else (str, str)

            def block(match):
                nonlocal count
                new = ""
                for command, old in commands_of(decode(match["body"])):
                    output = run(command, folder, programs, match["lab"])
                    if output is None:
                        print("SKIPPED: this machine has no namespaces for: " + command, end="")
                    count += 1
                    if output is not None:
                        output = folded(output, COLUMNS[pattern])
                    same = output is None or comparable(output) == comparable(old)
                    new += "$ " + command + (old if same else output)
                return match["head"] + encode(new) + match["tail"]
            text = pattern.sub(block, text)
    return text, count


def main(arguments):
    check = arguments[:1] == ["--check"]
    programs, *pages = arguments[check:]
    programs = os.path.abspath(programs)
    status = total = 0
    for page in pages:
        with open(page, encoding="utf-8") as file:
            old = file.read()
        new, count = new_page(old, programs)
        total += count
        if new == old:
            continue
        print("%s: an example %s" % (page, "differs from what is: run docs/update" if check else "was rewritten"))
        status = 1 if check else 0
        if check:
            before, after = old.splitlines(), new.splitlines()
            print("\n".join("  - " + line for line in before if line not in after))
            print("\n".join("  + " + line for line in after if line not in before))
        else:
            with open(page, "w", encoding="utf-8") as file:
                file.write(new)
    print("%d commands run" % total)
    return status or (1 if total == 0 else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
