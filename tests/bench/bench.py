#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the shim costs, beside the bare program and its peers, in one run.

Each round runs every way of running the same loop, in an order shuffled anew; the table has
medians over the rounds, as what is added to the bare loop and as the ratio to it. Nothing here is
asserted: the machine may be shared.
"""
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = int(os.environ.get("ROUNDS", "9"))
COUNT = int(os.environ.get("COUNT", "20000"))
# A tracer stops the program at each call: fewer repetitions measure it as well.
SLOW = 400


def ways(shim, log):
    """(name, command prefix, environment, slow)"""
    yield "bare", [], {}, False
    yield "tcpdiag", [], {"LD_PRELOAD": shim, "TCPDIAG_LOG": log}, False
    yield "tcpdiag outcomes", [], {"LD_PRELOAD": shim, "TCPDIAG_LOG": log,
                                   "TCPDIAG_EVENTS": "outcomes"}, False
    yield "tcpdiag failures", [], {"LD_PRELOAD": shim, "TCPDIAG_LOG": log,
                                   "TCPDIAG_EVENTS": "failures"}, False
    if os.environ.get("OTHER"):  # another build of the library, as the one of an earlier commit
        yield "OTHER", [], {"LD_PRELOAD": os.environ["OTHER"], "TCPDIAG_LOG": log}, False
    for name, library in (("proxychains4", "/usr/lib/x86_64-linux-gnu/libproxychains.so.4"),
                          ("torsocks", "/usr/lib/x86_64-linux-gnu/torsocks/libtorsocks.so")):
        if os.path.exists(library):
            conf = os.path.join(os.path.dirname(log), name + ".conf")
            with open(conf, "w", encoding="utf-8") as out:
                # Loopback is let through: a connect, not a proxy, is measured.
                out.write("localnet 127.0.0.0/255.0.0.0\nquiet_mode\n[ProxyList]\nsocks5 127.0.0.1 1\n"
                          if name == "proxychains4" else "AllowOutboundLocalhost 1\n")
            yield name, [], {"LD_PRELOAD": library, "PROXYCHAINS_CONF_FILE": conf,
                             "PROXYCHAINS_QUIET_MODE": "1", "TORSOCKS_CONF_FILE": conf,
                             "TORSOCKS_LOG_LEVEL": "1"}, False
        else:
            print(f"left out: {name} ({library} is not here)")
    for name, command in (("strace --seccomp-bpf",
                           ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect", "-o", "/dev/null"]),
                          ("ltrace", ["ltrace", "-f", "-e", "connect", "-o", "/dev/null"])):
        if shutil.which(command[0]):
            yield name, command, {}, True
        else:
            print(f"left out: {name} (not here)")


def once(program, what, threads, prefix, extra, slow):
    environment = {"PATH": "/usr/bin:/bin", **extra}
    count = SLOW if slow else COUNT
    done = subprocess.run([*prefix, program, what, str(max(count // threads, 1)), str(threads)],
                          env=environment, capture_output=True, text=True, timeout=300, check=False)
    try:
        return int(done.stdout.split()[-1])
    except (IndexError, ValueError):
        return None


def table(title, program, what, threads, shim, log, all_ways):
    chosen = [way for way in all_ways if not way[3] or what in ("accepted", "refused")]
    figures = {way[0]: [] for way in chosen}
    for _ in range(ROUNDS):
        random.shuffle(chosen)
        for name, prefix, extra, slow in chosen:
            # A user's log grows; a benchmark's need not fill the disk.
            if os.path.exists(log):
                os.truncate(log, 0)
            figure = once(program, what, threads, prefix, extra, slow)
            if figure is not None:
                figures[name].append(figure)
    medians = {name: statistics.median(values) for name, values in figures.items() if values}
    bare = medians["bare"]
    print(f"\n{title}: bare {bare / 1000:.3f} us")
    for name in figures:
        if name not in medians:
            print(f"  {name:22} did not run")
        elif name != "bare":
            print(f"  {name:22} {(medians[name] - bare) / 1000:+9.3f} us   x {medians[name] / bare:6.3f}")
    return medians


def start_up(all_ways):
    figures = {way[0]: [] for way in all_ways}
    for _ in range(ROUNDS):
        for name, prefix, extra, _ in random.sample(all_ways, len(all_ways)):
            begin = time.perf_counter()
            for _ in range(50):
                subprocess.run([*prefix, "/bin/true"], env={"PATH": "/usr/bin:/bin", **extra}, check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            figures[name].append((time.perf_counter() - begin) / 50 * 1000)
    bare = statistics.median(figures["bare"])
    print(f"\nstart-up of /bin/true: bare {bare:.3f} ms")
    for name, values in figures.items():
        if name != "bare":
            print(f"  {name:22} {statistics.median(values) - bare:+9.3f} ms   "
                  f"x {statistics.median(values) / bare:6.3f}")
    return statistics.median(figures["tcpdiag"]) - bare


def primitives(program, log):
    """What this machine charges for the least that a log needs."""
    print()
    for what, text in (("system-call", "one system call"), ("append", "one line appended to the log's place")):
        figures = [once(program, what, 1, [], {"CYCLE_FILE": log}, False) for _ in range(ROUNDS)]
        print(f"{text}: {statistics.median(figures) / 1000:.3f} us")


def aims(medians, start):
    """What the project aims at, beside what this run has seen."""
    def added(title):
        return medians[title]["tcpdiag"] - medians[title]["bare"]
    idle = max(added(title) for title in medians if "nothing in flight" in title)
    accepted = medians["accepted, blocking"]
    print("\naims, and this run (the machine may be shared; noise has no sign):")
    for text, seen, aim, unit in (
            ("begin and end of an accepted connect add", added("accepted, blocking") / 1000, 1.0, "us"),
            ("the accepted cycle is bare's times", accepted["tcpdiag"] / accepted["bare"], 1.10, ""),
            ("a waiting call with nothing in flight adds", idle, 2, "ns"),
            ("start-up adds", start, 0.1, "ms")):
        print(f"  {text} {seen:.2f} {unit}".rstrip() + f" (aim: {aim:g}): {'met' if seen <= aim else 'MISSED'}")
    print("A connect's two records are two appends, two fstat that the law of the log's descriptor asks\n"
          "for, two getrlimit against SIGXFSZ, and seven questions about socket, thread and address.")


def main():
    program, shim = (os.path.abspath(path) for path in sys.argv[1:3])
    rows = [("accepted, blocking", "accepted", 1), ("refused, blocking", "refused", 1),
            ("accepted, epoll", "accepted-epoll", 1), ("refused, epoll", "refused-epoll", 1),
            ("accepted, blocking, 8 threads", "accepted", 8), ("accepted, epoll, 8 threads", "accepted-epoll", 8),
            ("poll, nothing in flight", "idle-poll", 1), ("epoll_wait, nothing in flight", "idle-epoll_wait", 1),
            ("close, nothing in flight", "idle-close", 1), ("getaddrinfo of a numeric address", "getaddrinfo", 1)]
    # On a file system in memory where there is one: a disk's speed is not the shim's.
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=folder) as place:
        log = os.path.join(place, "log.jsonl")
        all_ways = list(ways(shim, log))
        print(f"medians of {ROUNDS} rounds of {COUNT} (tracers {SLOW}), shuffled; log in {place}")
        primitives(program, log)
        medians = {title: table(title, program, what, threads, shim, log, all_ways)
                   for title, what, threads in rows}
        aims(medians, start_up(all_ways))


if __name__ == "__main__":
    main()
