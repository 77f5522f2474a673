#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""libspf's Python package over the stream, with the orders and answers of the C programs:
peer_libspf_python.py STREAM check|async|many [fresh] [KEY=VALUE of a context]...

check: one after the other; async: all of a run at once in asyncio; many: as many by check_many(). With "fresh" every
run has a context of its own, so nothing is cached at its start. PYTHONPATH must have the package.
"""
import asyncio
import json
import sys
import time

import libspf

LETTERS = {"none": "O", "neutral": "N", "pass": "P", "fail": "F", "softfail": "S", "temperror": "T", "permerror": "E"}


def checked(context, lines):
    return [context.check(*line) for line in lines]


def in_asyncio(context, lines):
    async def all_at_once():
        return await asyncio.gather(*[context.check_async(*line) for line in lines])

    return asyncio.run(all_at_once())


def many(context, lines):
    return [result for _, result in context.check_many(lines, concurrency=len(lines))]


WAYS = {"check": checked, "async": in_asyncio, "many": many}


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        stream = [line.split() for line in file]
    way = WAYS[sys.argv[2]]
    options = dict(option.split("=") for option in sys.argv[3:] if "=" in option)
    options = {name: int(value) if value.isdigit() else value for name, value in options.items()}
    is_fresh = "fresh" in sys.argv[3:]
    context = None
    for order in sys.stdin:
        first, count = map(int, order.split()[1:])
        lines = [stream[number % len(stream)] for number in range(first, first + count)]
        wall, cpu = time.monotonic(), time.process_time()
        context = context or libspf.Context(**options)
        results = way(context, lines)
        if is_fresh:
            context.close()
            context = None
        report = {"wall_us": (time.monotonic() - wall) * 1e6, "cpu_us": (time.process_time() - cpu) * 1e6}
        print(json.dumps({"checks": count, **report, "queries": sum(result.dns_queries for result in results),
                          "heap_peak": 0, "results": "".join(LETTERS[result.result] for result in results),
                          "elapsed_us": [result.elapsed * 1e6 for result in results]}), flush=True)


main()
