#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""pyspf over the stream, with the orders and answers of the C programs: peer_pyspf.py STREAM PORT"""
import json
import sys
import time

import DNS
import spf

LETTERS = {"none": "O", "neutral": "N", "pass": "P", "fail": "F", "softfail": "S", "temperror": "T", "permerror": "E"}


def run(lines, first, count):
    results, elapsed = [], []
    wall, cpu = time.monotonic(), time.process_time()
    for number in range(first, first + count):
        ip, sender, helo = lines[number % len(lines)]
        start = time.monotonic()
        result = spf.check2(i=ip, s="" if sender == "<>" else sender, h=helo)[0]
        elapsed.append(int((time.monotonic() - start) * 1e6))
        results.append(LETTERS[result])
    return {"checks": count, "wall_us": (time.monotonic() - wall) * 1e6, "cpu_us": (time.process_time() - cpu) * 1e6,
            "queries": 0, "heap_peak": 0, "results": "".join(results), "elapsed_us": elapsed}


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        lines = [line.split() for line in file]
    DNS.defaults["server"] = ["127.0.0.1"]
    DNS.defaults["port"] = int(sys.argv[2])
    for order in sys.stdin:
        _, first, count = order.split()
        print(json.dumps(run(lines, int(first), int(count))), flush=True)


main()
