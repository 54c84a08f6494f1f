#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs each test of suites that others wrote bare and under the shim and compares the verdicts.

The sources are Debian's, fetched with an apt configuration of their own and built in a temporary
folder. Each test runs by itself, in a network namespace of its own that has loopback only, and not
as root (libuv's refuse to). Where the verdicts differ the test is run again, both ways: one whose
bare runs differ from each other varies and is listed as such.

suites.py [--table FILE] [--only SUITE]
Exit status: 0 all the same, 1 a verdict differs, 2 the suites cannot be fetched, built or run.
"""
import argparse
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

NOBODY = 65534
SECONDS = 120
AGAIN = 4
WORKERS = 2
TOOLS = {"apt-get": "apt", "dpkg-source": "dpkg-dev", "cmake": "cmake", "make": "make", "gcc": "gcc",
         "unshare": "util-linux", "mount": "mount", "setpriv": "util-linux", "ip": "iproute2"}
DEB_SRC = "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n"
# Suites have names of their own in /tmp (libuv's sockets), so that is a test's own too; what they are
# built in is elsewhere.
PLACE = "/var/tmp"
ALONE = ["unshare", "--net", "--mount", "--", "sh", "-c",
         'mount -t tmpfs -o mode=1777 tmpfs /tmp && ip link set lo up && exec "$@"', "sh",
         "setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups", "--"]

# What a suite is: Debian's name of its source, how it is built, where its program is, how it lists
# its tests and says the verdict of one.
Suite = collections.namedtuple("Suite", "name source options target program names verdict")


def names_of_libuv(output):
    """The first word of a line; "(helpers: ...)" may follow."""
    return [line.split()[0] for line in output.splitlines() if line.strip()]


def names_of_libevent(output):
    return re.findall(r"^    (\S+)$", output, re.M)


def verdict_of_libuv(output):
    """Its TAP lines, without their numbers and reasons."""
    lines = re.findall(r"^(not ok|ok) \d+ - \S+(.*# SKIP)?", output, re.M)
    return " ".join("skipped" if skip else word for word, skip in lines)


def verdict_of_libevent(output):
    words = re.findall(r"\b(OK|SKIPPED|DISABLED|FAILED)\b", output)
    return {"OK": "ok", "SKIPPED": "skipped", "DISABLED": "skipped"}.get(words[-1], "not ok") if words else ""


SUITES = (
    Suite("libuv", "libuv1", ["-DLIBUV_BUILD_TESTS=ON"], "uv_run_tests", "uv_run_tests",
          names_of_libuv, verdict_of_libuv),
    Suite("libevent", "libevent",
          ["-DEVENT__DISABLE_OPENSSL=ON", "-DEVENT__DISABLE_BENCHMARK=ON", "-DEVENT__DISABLE_SAMPLES=ON",
           "-DEVENT__LIBRARY_TYPE=STATIC"], "regress", "bin/regress", names_of_libevent, verdict_of_libevent),
)


def give_up(why):
    print("suites: " + why, file=sys.stderr)
    sys.exit(2)


def must(what, command, folder):
    result = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", check=False)
    if result.returncode != 0:
        print(result.stdout[-3000:], file=sys.stderr)
        give_up(what + " failed")


def fetch(folder, sources):
    """With lists, cache and sources.list in the folder: the machine's own stay as they are."""
    os.makedirs(folder + "/apt/lists/partial")
    os.makedirs(folder + "/apt/cache")
    with open(folder + "/apt/sources.list", "w", encoding="utf-8") as file:
        file.write(DEB_SRC)
    apt = ["apt-get", "-q"]
    for option in ("Dir::Etc::sourcelist=%s/apt/sources.list", "Dir::Etc::sourceparts=/dev/null",
                   "Dir::State::lists=%s/apt/lists", "Dir::Cache=%s/apt/cache"):
        apt += ["-o", option.replace("%s", folder)]
    apt += ["-o", "APT::Sandbox::User=root"]
    must("apt-get update", apt + ["update"], folder)
    must("apt-get source", apt + ["source", "--only-source", *sources], folder)


class Built:
    def __init__(self, folder, suite, shim):
        self.suite, self.shim = suite, shim
        self.source = [path for path in glob.glob("%s/%s-*" % (folder, suite.source)) if os.path.isdir(path)][0]
        self.version = re.search(r"^Version: (\S+)", open(glob.glob("%s/%s_*.dsc" % (folder, suite.source))[0],
                                                         encoding="utf-8").read(), re.M)[1]
        self.build = "%s/build-%s" % (folder, suite.name)
        must(suite.name + ": cmake", ["cmake", "-Wno-dev", "-S", self.source, "-B", self.build, *suite.options], folder)
        must(suite.name + ": build", ["cmake", "--build", self.build, "-j", str(WORKERS), "--target", suite.target],
             folder)
        self.program = self.build + "/" + suite.program

    def names(self):
        option = "--list" if self.suite.name == "libuv" else "--list-tests"
        result = subprocess.run(ALONE + [self.program, option], stdout=subprocess.PIPE, text=True, check=False)
        names = self.suite.names(result.stdout)
        if not names:
            give_up(self.suite.name + ": lists no tests")
        return names

    def run(self, name, shimmed):
        """The verdict, and how many records the log has."""
        with tempfile.TemporaryDirectory(prefix="tcpdiag-suite-", dir=PLACE) as folder:
            # libuv's tests read and write below the folder they start in.
            fixtures = self.source + "/test/fixtures"
            if os.path.isdir(fixtures):
                shutil.copytree(fixtures, folder + "/test/fixtures", symlinks=True)
            subprocess.run(["chown", "-R", str(NOBODY), folder], check=True)
            log = folder + "/tcpdiag.log"
            environment = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "LANG": "C"}
            command = ALONE + ["env"]
            if shimmed:
                command += ["LD_PRELOAD=" + self.shim, "TCPDIAG_LOG=" + log]
            try:
                result = subprocess.run(command + [self.program, name], cwd=folder, env=environment, timeout=SECONDS,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors="replace", check=False)
                verdict = "%s (%d)" % (self.suite.verdict(result.stdout), result.returncode)
            except subprocess.TimeoutExpired:
                verdict = "no end after %d s" % SECONDS
            records = 0
            if os.path.exists(log):
                with open(log, "rb") as file:
                    records = file.read().count(b"\n")
            return verdict, records

    def compare(self, name):
        bare, (shimmed, records) = [self.run(name, False)[0]], self.run(name, True)
        shimmed = [shimmed]
        if bare != shimmed:
            for _ in range(AGAIN):
                bare.append(self.run(name, False)[0])
                shimmed.append(self.run(name, True)[0])
        if set(bare) == set(shimmed) and len(set(bare)) == 1:
            result = "same"
        else:
            result = "varies" if len(set(bare)) > 1 else "different"
        return name, result, bare, shimmed, records


def row(built, results):
    def of(kind):
        return [each for each in results if each[1] == kind]

    bare = collections.Counter(each[2][0].split(" (")[0] for each in results)
    other = len(results) - bare["ok"] - bare["skipped"]
    return "| %s %s | %d | %d | %d | %d | %d | %d | %d | %d |" % (
        built.suite.name, built.version, len(results), bare["ok"], bare["skipped"], other, len(of("same")),
        len(of("different")), len(of("varies")), sum(each[4] for each in results))


def details(built, results):
    for name, kind, bare, shimmed, _ in results:
        if kind != "same":
            yield "- %s `%s`, %s: bare %s; under the library %s" % (
                built.suite.name, name, kind, ", ".join(bare), ", ".join(shimmed))
    for name, kind, bare, _, _ in results:
        if kind == "same" and not bare[0].startswith(("ok (", "skipped (")):
            yield "- %s `%s`, same: %s" % (built.suite.name, name, bare[0])


PAGE = """<!-- SPDX-License-Identifier: MIT -->
# Test suites of others, bare and under the shim

Written by `tests/suites/run`, which fetches and builds the suites from Debian's sources. Each test is
run by itself, bare and with `LD_PRELOAD=libtcpdiag.so` and a log, in a network namespace that has
loopback only, by a user who is not root; what is compared is its verdict and exit status. Tests whose
verdicts differ are run four times more, both ways: *varies* are those whose bare runs differ from each other.
*passed*, *skipped* (by the suite: switched off, or not for this system) and *failed* count the bare runs.

| suite | tests | passed | skipped | failed | same | different | varies | records |
|---|---|---|---|---|---|---|---|---|
%s

Those that differ, that vary, or that fail both ways:

%s
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--table")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    suites = [suite for suite in SUITES if arguments.only in (None, suite.name)]
    if not suites:
        give_up("no such suite: %s" % arguments.only)
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        give_up("missing packages: " + " ".join(missing))
    if os.geteuid() != 0:
        give_up("needs root, for network namespaces and to become another user")
    with tempfile.TemporaryDirectory(prefix="tcpdiag-suites-", dir=PLACE) as folder:
        os.chmod(folder, 0o755)
        shim = shutil.copy("shim/libtcpdiag.so", folder)
        fetch(folder, [suite.source for suite in suites])
        rows, lines, different = [], [], False
        for suite in suites:
            built = Built(folder, suite, shim)
            with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
                results = list(pool.map(built.compare, built.names()))
            rows.append(row(built, results))
            lines += details(built, results)
            print(rows[-1], flush=True)
            if not any(each[4] for each in results):
                give_up(suite.name + ": no record in any log: the library was not there")
            different = different or any(each[1] == "different" for each in results)
    print("\n".join(lines))
    if arguments.table:
        with open(arguments.table, "w", encoding="utf-8") as file:
            file.write(PAGE % ("\n".join(rows), "\n".join(lines) or "None."))
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
