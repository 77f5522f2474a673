#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks again what a mail log, or a list of address, sender and HELO, tells of.

A line may be CSV (ip,sender,helo and, if known, the result of then; a first line may name the columns), a log line of
Exim, one of Postfix, or one with client-ip=, envelope-from= and helo= as Received-SPF fields and SPF policy services
write them. Other lines are skipped.

    recheck_log.py /var/log/mail.log
    recheck_log.py --json --jobs 500 connections.csv > results.jsonl
"""
from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import ipaddress
import json
import os
import re
import signal
import sys
import time
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import IO, Callable, Deque, Iterator, Optional, Tuple

import libspf

RESULTS = tuple(str(code) for code in libspf.ResultCode)
COLOURS = {"pass": "32", "fail": "31", "softfail": "33", "permerror": "35", "temperror": "36"}
QUEUE_IDS_MAX = 10000  # Postfix messages whose client is remembered until their sender is logged
TEXT_MAX = 4096  # octets of a sender or a HELO name
BAR_WIDTH = 30

EXIM = re.compile(r" <= (?P<sender>\S+) .*?\bH=(?P<name>[^\s(\[]+ )?(?:\((?P<helo>[^)]*)\) )?\[(?P<ip>[^\]]+)\]")
PAIR = re.compile(r'\b(client-ip|envelope-from|helo)=<?"?([^\s;">]*)')
WORD = re.compile(r"\b(" + "|".join(RESULTS) + r")\b", re.IGNORECASE)
POSTFIX_CLIENT = re.compile(r"postfix/(?:\w+/)?smtpd\[\d+\]: (?P<id>\w+): client=[^\[]*\[(?P<ip>[^\]]+)\]")
POSTFIX_FROM = re.compile(r"postfix/qmgr\[\d+\]: (?P<id>\w+): from=<(?P<sender>[^>]*)>")
POSTFIX_REJECT = re.compile(r"postfix/\S*smtpd\[\d+\]: .* from [^\[]*\[(?P<ip>[^\]]+)\].* from=<(?P<sender>[^>]*)>"
                            r".*? helo=<(?P<helo>[^>]*)>")


@dataclass(frozen=True)
class Entry:
    """One line's question, and what was answered then."""

    line: int
    ip: str
    sender: str
    helo: str
    was: str = ""


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_question(ip: str, sender: str, helo: str) -> bool:
    """Whether libspf would take it: a log can hold anything."""
    return is_address(ip) and all(len(text.encode()) <= TEXT_MAX for text in (sender, helo))


class Reader:
    """From lines to entries."""

    def __init__(self, skip: int) -> None:
        self.skip = skip
        self.lines = self.characters = 0  # read so far
        self.columns = ["ip", "sender", "helo", "result"]
        self.clients: OrderedDict[str, str] = OrderedDict()  # Postfix: queue id to client address

    def entries(self, file: IO[str]) -> Iterator[Entry]:
        for line in file:
            self.lines += 1
            self.characters += len(line)
            found = self.parse(line.rstrip("\r\n"))
            if found is None or self.lines <= self.skip:
                continue
            ip, sender, helo, was = found
            if is_question(ip, sender, helo):
                yield Entry(self.lines, ip, sender, helo, was)

    def parse(self, line: str) -> Optional[Tuple[str, str, str, str]]:
        pairs = dict(PAIR.findall(line))
        if "client-ip" in pairs:
            word = WORD.search(line)
            return (pairs["client-ip"], pairs.get("envelope-from", ""), pairs.get("helo", ""),
                    word.group().lower() if word else "")
        exim = EXIM.search(line)
        if exim:
            sender = "" if exim["sender"] == "<>" else exim["sender"]
            return exim["ip"], sender, exim["helo"] or (exim["name"] or "").strip(), ""
        return self.parse_postfix(line) if " postfix/" in line else self.parse_csv(line)

    def parse_postfix(self, line: str) -> Optional[Tuple[str, str, str, str]]:
        """The client and the sender of a message stand on two lines that share its queue id."""
        reject = POSTFIX_REJECT.search(line)
        if reject:
            return reject["ip"], reject["sender"], reject["helo"], ""
        client = POSTFIX_CLIENT.search(line)
        if client:
            self.clients[client["id"]] = client["ip"]
            if len(self.clients) > QUEUE_IDS_MAX:
                self.clients.popitem(last=False)
        sender = POSTFIX_FROM.search(line)
        if sender and sender["id"] in self.clients:
            return self.clients.pop(sender["id"]), sender["sender"], "", ""
        return None

    def parse_csv(self, line: str) -> Optional[Tuple[str, str, str, str]]:
        try:
            fields = [field.strip() for field in next(csv.reader([line]), [])]
        except csv.Error:  # a NUL, or a field without end
            return None
        if "ip" in [field.lower() for field in fields]:
            self.columns = [field.lower() for field in fields]
            return None
        row = dict(zip(self.columns, fields))
        was = row.get("result", "").lower()
        return row.get("ip", ""), row.get("sender", ""), row.get("helo", ""), was if was in RESULTS else ""


class Progress:
    """A bar on a terminal; nothing elsewhere."""

    def __init__(self, total: int, is_shown: bool, is_coloured: bool) -> None:
        self.total, self.is_shown, self.is_coloured = total, is_shown, is_coloured
        self.started = self.drawn = time.monotonic()

    def draw(self, characters: int, checks: int, is_due: bool = False) -> None:
        now = time.monotonic()
        if not self.is_shown or (now - self.drawn < 0.1 and not is_due):
            return
        self.drawn = now
        rate = checks / max(now - self.started, 0.001)
        text = f"{checks} checks, {rate:.0f}/s"
        if self.total:
            part = min(characters / self.total, 1.0)
            bar = ("#" * int(part * BAR_WIDTH)).ljust(BAR_WIDTH, "-")
            text = f"[{self.paint(bar, '32')}] {part:4.0%} {text}"
        print("\r\x1b[K" + text, end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.is_coloured and colour else text


class Recheck:
    """The run: reads, asks, prints in the order of the lines, counts."""

    def __init__(self, args: argparse.Namespace, context: libspf.Context, file: IO[str]) -> None:
        self.args, self.context, self.file = args, context, file
        self.reader = Reader(args.skip)
        self.waiting: Deque[Entry] = deque()  # asked, not yet answered; answers come in the same order
        self.results: Counter[str] = Counter()
        self.changed = 0
        self.is_reading = self.is_interrupted = False
        self.done = args.skip  # the last line of which nothing is open
        is_terminal = sys.stderr.isatty()
        size = os.fstat(file.fileno()).st_size  # 0 for a pipe
        self.progress = Progress(size, is_terminal and not args.no_progress, "NO_COLOR" not in os.environ)
        self.is_sharing = sys.stdout.isatty()  # the terminal, with the bar
        self.is_coloured = self.is_sharing and "NO_COLOR" not in os.environ

    async def run(self) -> int:
        """The exit code: 0, or 130 if it was interrupted."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel = task.cancel

        def interrupt(*_: object) -> None:
            self.is_interrupted = True
            if self.is_reading:  # perhaps a terminal, or a pipe: for long, and without the loop
                raise asyncio.CancelledError
            loop.call_soon_threadsafe(cancel)

        before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            await self.check_all()
        except asyncio.CancelledError:
            pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        self.progress.clear()
        self.summary(self.is_interrupted)
        return 130 if self.is_interrupted else 0

    async def check_all(self) -> None:
        checks = self.context.check_many(self.questions(), concurrency=self.args.jobs, timeout=self.args.timeout)
        async for _, result in checks:
            entry = self.waiting.popleft()
            if self.is_sharing:
                self.progress.clear()
            self.show(entry, result)
            self.done = entry.line
            self.progress.draw(self.reader.characters, sum(self.results.values()), self.is_sharing)
        self.done = self.reader.lines

    def questions(self) -> Iterator[Tuple[str, str, str]]:
        entries = self.reader.entries(self.file)
        while True:
            self.is_reading = True
            try:
                if self.is_interrupted:
                    raise asyncio.CancelledError
                entry = next(entries, None)
            finally:
                self.is_reading = False
            if entry is None:
                return
            self.waiting.append(entry)
            yield entry.ip, entry.sender, entry.helo

    def show(self, entry: Entry, result: libspf.Result) -> None:
        word = str(result.result)
        is_changed = bool(entry.was) and entry.was != word
        self.results[word] += 1
        self.changed += is_changed
        if self.args.changed_only and not is_changed:
            return
        if self.args.json:
            print(json.dumps({"line": entry.line, "ip": entry.ip, "sender": entry.sender, "helo": entry.helo,
                              "was": entry.was or None, "result": word, "reason": result.reason}))
            return
        coloured = f"\x1b[{COLOURS[word]}m{word}\x1b[0m" if self.is_coloured and word in COLOURS else word
        was = f" (was {entry.was})" if is_changed else ""
        print(f"{entry.line}: {coloured}{was} ip={entry.ip} sender=<{printable(entry.sender)}>"
              f" helo={printable(entry.helo)}: {result.reason}")

    def summary(self, is_interrupted: bool) -> None:
        checks = sum(self.results.values())
        if self.args.json:
            print(json.dumps({"summary": dict(sorted(self.results.items())), "checks": checks, "changed": self.changed,
                              "lines": self.done, "interrupted": is_interrupted}))
        counts = ", ".join(f"{count} {word}" for word, count in self.results.most_common()) or "no lines to check"
        print(f"{checks} checks of {self.done} lines: {counts}; {self.changed} changed", file=sys.stderr)
        if is_interrupted:
            print(f"interrupted: go on with --skip {self.done}", file=sys.stderr)


def printable(text: str) -> str:
    """Senders choose these texts: nothing of them may move the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def number(least: float, most: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    """An argparse type that names what is allowed."""
    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if least <= kind(text) <= most:
                return kind(text)
        raise argparse.ArgumentTypeError(f"{text!r} is no number of {least:g} to {most:g}")
    return parse


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Checks again what a mail log, or a CSV list, tells of.")
    parser.add_argument("file", nargs="?", default="-", help="the log or list; - is the standard input (default)")
    parser.add_argument("--jobs", type=number(1, 10000, int), default=100, metavar="N",
                        help="checks at once, 1 to 10000 (default: 100)")
    parser.add_argument("--timeout", type=number(0.001, 600, float), metavar="SECONDS", help="deadline of one check")
    parser.add_argument("--skip", type=number(0, 1e15, int), default=0, metavar="N",
                        help="lines at the start that were done before")
    parser.add_argument("--changed-only", action="store_true", help="show only results that are not those of then")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, the last one a summary")
    parser.add_argument("--no-progress", action="store_true", help="no bar, even on a terminal")
    parser.add_argument("--config", help="a configuration file of libspf")
    parser.add_argument("--resolver", help="ADDRESS[@PORT] of a DNS server, 'recursive' or 'none'")
    parser.add_argument("--zone", help="a master file that goes before DNS")
    return parser


def prepare_streams() -> None:
    """Where one is closed Python has None; and no character of a mail or a record is one that ends the run."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")
        stream.reconfigure(errors="replace")
        setattr(sys, name, stream)


def output_failed(error: OSError) -> int:
    """The exit code; Python would only try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # the reader of the output has seen enough
        return 0
    print(f"recheck_log: reading or writing failed: {error.strerror}", file=sys.stderr)
    return 1


def main() -> int:
    prepare_streams()
    args = arguments().parse_args()
    try:
        file = open(0 if args.file == "-" else args.file, encoding="utf-8", errors="replace")
        context = libspf.Context(args.config, resolver=args.resolver, zone=args.zone)
    except (OSError, ValueError, libspf.Error) as error:
        print(f"recheck_log: {error}", file=sys.stderr)
        return 1
    with file, context:
        try:
            code = asyncio.run(Recheck(args, context, file).run())
            sys.stdout.flush()
            return code
        except OSError as error:
            return output_failed(error)


if __name__ == "__main__":
    sys.exit(main())
