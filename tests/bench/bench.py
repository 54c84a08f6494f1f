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
    bare = statistics.median(figures["bare"])
    print(f"\n{title}: bare {bare / 1000:.3f} us")
    for name in figures:
        if name != "bare":
            if not figures[name]:
                print(f"  {name:22} did not run")
                continue
            median = statistics.median(figures[name])
            print(f"  {name:22} {(median - bare) / 1000:+9.3f} us   x {median / bare:6.3f}")


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
        for title, what, threads in rows:
            table(title, program, what, threads, shim, log, all_ways)
        start_up(all_ways)


if __name__ == "__main__":
    main()
