#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each system call of the shim fails, once or always, with each errno that its manual page lists: the
program must not notice, and each attempt must be in the log, or the log or standard error must say that
records are missing."""
import collections
import concurrent.futures
import errno
import json
import os
import subprocess
import sys
import tempfile

LIBRARY = os.path.abspath(os.environ.get("TCPDIAG_TEST_LIBRARY", "tests/faults/libtcpdiag_faulty.so"))
ACTOR = os.path.abspath("tests/shim/actor")

SCENES = ["blocking_accepted", "blocking_refused", "poll_refused", "poll_accepted", "close_unread",
          "epoll_pointer", "second_connect", "closed_pending", "dup_pending", "fork_pending",
          "quick_exit_pending", "exec_pending", "send_time_limit", "interrupted", "named_connect",
          "own_recverr", "file_size_limit", "direct_calls"]
ALWAYS = ["ENOSYS", "EPERM"]  # what a seccomp filter may answer to anything
ERRORS = {
    "openat": "EACCES EDQUOT EINTR ELOOP EMFILE ENFILE ENOENT ENOSPC EROFS",
    "fstat": "EBADF EIO ENOMEM EOVERFLOW",
    "newfstatat": "EACCES ELOOP ENOENT ENOMEM ENOTDIR",
    "write": "EAGAIN EBADF EDQUOT EFBIG EINTR EIO ENOSPC EPIPE",
    "writev": "EAGAIN EBADF EDQUOT EFBIG EINTR EIO ENOSPC EPIPE",
    "fcntl": "EBADF EINVAL EMFILE",
    "getsockopt": "EFAULT EINVAL ENOPROTOOPT ENOTSOCK",
    "setsockopt": "EBADF EFAULT EINVAL ENOPROTOOPT",
    "getsockname": "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK",
    "getpeername": "ENOBUFS ENOTCONN",
    "recvmsg": "EAGAIN ECONNREFUSED EFAULT EINTR ENOMEM ENOTCONN",
    "ppoll": "EFAULT EINTR EINVAL ENOMEM",
    "ioctl": "EBADF EFAULT EINVAL ENOTTY",
    "rt_sigprocmask": "EFAULT",
    "rt_sigpending": "EFAULT",
    "rt_sigtimedwait": "EAGAIN EINTR",
    "madvise": "EAGAIN EINVAL ENOMEM",
    "prlimit64": "EFAULT EINVAL",
    "uname": "EFAULT",
    "readlinkat": "EACCES EIO ENOENT",
    "mkdirat": "EACCES EEXIST ENOSPC EROFS",
    "close": "EBADF EINTR EIO",
    "statx": "EBADF EIO ENOMEM",
    "pread64": "EIO EINTR EAGAIN",
    "lseek": "ENXIO EINVAL",
    "fstatfs": "EIO EINTR ENOMEM",
    "dup3": "EBADF EBUSY EINTR EMFILE",
    "clock": "EINVAL",
    "getcwd": "EACCES ENOENT ENOMEM ERANGE",
    "pwritev2": "EAGAIN EINTR EINVAL EIO ENOSPC EOPNOTSUPP EPIPE",
    "sendmsg": "EAGAIN ECONNRESET EINTR ENOBUFS EPIPE",
    "sigaltstack": "EFAULT",
}
NTHS = [1, 2, 3, 0]  # 0: always
NEEDED_TO_TELL = ["fstat", "statx", "ppoll", "pwritev2", "rt_sigpending", "rt_sigprocmask"]
NO_CLAIM = ("reason-unseen", "out-of-sight")

Outcome = collections.namedtuple("Outcome", "status out err records warned calls")


SECOND_PLACE = f"/tmp/tcpdiag-{os.geteuid()}/tcpdiag.jsonl"
BEFORE = os.path.getsize(SECOND_PLACE) if os.path.exists(SECOND_PLACE) else 0


def second_place(pid):
    """Where the log goes when the first default place cannot be had; all runs share it."""
    try:
        with open(SECOND_PLACE, encoding="utf-8") as text:
            text.seek(BEFORE)
            return [line for line in text.read().splitlines() if f'"process.pid":{pid},' in line]
    except FileNotFoundError:
        return []


def play(scene, place, fault=None, trace=False):
    with tempfile.TemporaryDirectory(prefix="tcpdiag-faults-") as folder:
        environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": LIBRARY, "TCPDIAG_WARN": "1"}
        log = os.path.join(folder, "log")
        if place == "default":
            environment["XDG_STATE_HOME"] = folder
            log = os.path.join(folder, "tcpdiag/tcpdiag.jsonl")
        else:
            environment["TCPDIAG_LOG"] = "stderr" if place == "stderr" else log
        if place == "bare":
            environment = {"PATH": os.environ["PATH"]}
        if fault:
            environment["TCPDIAG_FAULT"] = fault
        if trace:
            environment["TCPDIAG_FAULT_TRACE"] = os.path.join(folder, "trace")
        with subprocess.Popen([ACTOR, scene], env=environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
            out, err = done.communicate(timeout=60)
        lines = err.splitlines()
        own = [line for line in lines if not line.startswith(("libtcpdiag: ", "{"))]
        records = [line for line in lines if line.startswith("{")]
        if os.path.exists(log):
            with open(log, encoding="utf-8") as text:
                records += text.read().splitlines()
        if place == "default":
            records += second_place(done.pid)
        calls = collections.Counter()
        if trace:
            with open(os.path.join(folder, "trace"), encoding="utf-8") as text:
                calls.update(text.read().split())
        warned = any(line.startswith("libtcpdiag: ") for line in lines)
        return Outcome(done.returncode, out, own, [json.loads(r) for r in records if r], warned, calls)


def summary(records):
    """The attempts, by their address's kind and outcome: what must not change."""
    return collections.Counter((r["event"], r["phase"], "abandoned" if r.get("cause") in NO_CLAIM else r.get("outcome"))
                               for r in records)


def judge(scene, place, fault, bare, whole):
    run = play(scene, place, fault)
    problems = []
    if (run.status, run.out, run.err) != (bare.status, bare.out, bare.err):
        problems.append(f"the program noticed: {run.status} {run.err}")
    ends = collections.Counter(r["attempt"] for r in run.records if r["phase"] == "end")
    if any(count > 1 for count in ends.values()):
        problems.append("an attempt has two ends")
    told = run.warned or any("lost" in r for r in run.records)
    name, _, nth = fault.split(":")
    # Where it is never said what a descriptor is, or SIGPIPE cannot be held back, nothing can be told.
    dumb = name in NEEDED_TO_TELL and (nth == "0" or place == "stderr")
    got, expected = summary(run.records), summary(whole.records)
    if got != expected and not told and not dumb:
        missing, more = expected - got, got - expected
        # An end may know less than it could: then it claims no fault.
        if sum(missing.values()) != sum(more.values()):
            problems.append(f"records are missing, and nothing says so: {dict(missing)} {dict(more)}")
        elif any(outcome not in (None, "abandoned") for _, _, outcome in more):
            problems.append(f"another outcome is claimed: {dict(missing)} became {dict(more)}")
    return [f"{scene}, log: {place}, {fault}: {problem}" for problem in problems], told


def cases():
    for scene in SCENES:
        bare = play(scene, "bare")
        for place in ["file"] + (["stderr", "default"] if scene in ("blocking_refused", "poll_refused") else []):
            whole = play(scene, place, trace=True)
            assert "unknown" not in whole.calls, "inject.c has no name for a call of the shim"
            for name, count in sorted(whole.calls.items()):
                for error in ERRORS.get(name, "").split() + ALWAYS:
                    for nth in NTHS:
                        if nth <= count:
                            yield scene, place, f"{name}:{getattr(errno, error)}:{nth}", bare, whole


def main():
    if os.environ.get("TCPDIAG_HOOKS_LINKED_IN") == "1":
        print("SKIPPED: a sanitizer build links the hooks into the program")
        return 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(lambda case: judge(*case), cases()))
    problems = [problem for found, _ in results for problem in found]
    print(f"{len(results)} faults: {sum(told for _, told in results)} cost records and the log or "
          f"standard error says so, {len(problems)} problems")
    print("\n".join(problems))
    return 1 if problems or len(results) < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
