#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The script that a person would write: asyncio, a semaphore, a time limit.

    scan_asyncio.py ADDRESS COUNT FIRST-PORT PORTS SECONDS JOBS
"""
import asyncio
import ipaddress
import resource
import sys


async def one(gate, host, port, limit):
    async with gate:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), limit)
        except (OSError, asyncio.TimeoutError):
            return
        print(f"{host}:{port} connected")
        writer.close()


async def main():
    first = ipaddress.ip_address(sys.argv[1])
    count, port, ports = (int(word) for word in sys.argv[2:5])
    gate = asyncio.Semaphore(int(sys.argv[6]))
    await asyncio.gather(*(one(gate, str(first + i), port + p, float(sys.argv[5]))
                           for p in range(ports) for i in range(count)))


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
asyncio.run(main())
