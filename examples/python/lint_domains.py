#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lints the SPF records of a list of domains, many at once: what is wrong with them, and how to mend it.

    lint_domains.py example.com example.net
    lint_domains.py --json --severity error - <domains.txt

Exit status: 0 no errors, 1 errors, 2 an argument or a file is wrong, 5 DNS failed for some of it, 130 interrupted.
"""
from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from typing import Any, AsyncIterator, Dict, Iterator, List, Optional, Tuple

import libspf

SEVERITIES = [str(severity) for severity in libspf.Severity]  # the worst first
COLOURS = {"error": "31", "warning": "33", "advice": "36"}
BAR_WIDTH = 30

Answer = Tuple[str, Optional[libspf.Survey], str]  # the domain, and its survey or why there is none


def paint(text: str, colour: str, is_coloured: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if is_coloured else text


def printable(text: str) -> str:
    """Nothing of a list may move the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


class Progress:
    """A bar on a terminal; nothing elsewhere."""

    def __init__(self, total: int, is_shown: bool) -> None:
        self.total, self.is_shown = total, is_shown
        self.is_coloured = "NO_COLOR" not in os.environ
        self.drawn = 0.0

    def draw(self, done: int) -> None:
        if not self.is_shown or (time.monotonic() - self.drawn < 0.1 and done < self.total):
            return
        self.drawn = time.monotonic()
        bar = ("#" * (done * BAR_WIDTH // self.total)).ljust(BAR_WIDTH, "-")
        print(f"\r\x1b[K[{paint(bar, '32', self.is_coloured)}] {done} of {self.total} domains",
              end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class Lint:
    """The run: surveys some domains at a time, prints in their order, counts."""

    def __init__(self, args: argparse.Namespace, context: libspf.Context, domains: List[str]) -> None:
        self.args, self.context, self.domains = args, context, domains
        self.counts: Counter[str] = Counter()
        self.done = 0
        self.has_failure = self.has_error = False
        self.is_sharing = sys.stdout.isatty()  # the terminal, with the bar
        self.is_coloured = self.is_sharing and "NO_COLOR" not in os.environ
        self.progress = Progress(len(domains), bool(domains) and sys.stderr.isatty() and not args.no_progress)

    async def run(self) -> int:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        is_interrupted = False
        try:
            self.progress.draw(0)
            async for answer in self.answers():
                self.done += 1
                if self.is_sharing:
                    self.progress.clear()
                self.show(*answer)
                self.progress.draw(self.done)
        except asyncio.CancelledError:
            is_interrupted = True
        self.progress.clear()
        found = ", ".join(f"{self.counts[word]} {word}" for word in SEVERITIES)
        print(f"{self.done} of {len(self.domains)} domains: {found}", file=sys.stderr)
        return 130 if is_interrupted else 1 if self.has_error else 5 if self.has_failure else 0

    async def answers(self) -> AsyncIterator[Answer]:
        """In the order of the domains."""
        waiting: List[asyncio.Task[Answer]] = []
        try:
            for domain in self.domains:
                waiting.append(asyncio.create_task(self.survey(domain)))
                if len(waiting) >= self.args.jobs:
                    yield await waiting.pop(0)
            while waiting:
                yield await waiting.pop(0)
        finally:
            for task in waiting:
                task.cancel()

    async def survey(self, domain: str) -> Answer:
        try:
            return domain, await self.context.survey_async(domain, timeout=self.args.timeout), ""
        except ValueError as error:
            return domain, None, str(error)

    def remarks(self, survey: libspf.Survey) -> Iterator[libspf.Remark]:
        """Those that are to be shown; all of them count for the exit status."""
        for remark in survey.remarks:
            is_failure = remark.code == "dns-failure"
            self.has_failure = self.has_failure or is_failure
            self.has_error = self.has_error or (remark.severity == "error" and not is_failure)
            if SEVERITIES.index(remark.severity) <= SEVERITIES.index(self.args.severity):
                self.counts[str(remark.severity)] += 1
                yield remark

    def show(self, domain: str, survey: Optional[libspf.Survey], problem: str) -> None:
        remarks = list(self.remarks(survey)) if survey is not None else []
        self.has_error = self.has_error or survey is None
        if self.args.json:
            print(json.dumps(self.row(domain, survey, remarks, problem)), flush=self.is_sharing)
            return
        name = printable(domain)
        if survey is None:
            print(f"{name}: {printable(problem)}")
        for remark in remarks:
            word = paint(str(remark.severity), COLOURS[remark.severity], self.is_coloured)
            fix = f" {remark.fix}" if remark.fix else ""
            print(f"{name}: {word}: {remark.sentence}{fix} [{remark.code}]")
        if survey is not None and survey.fixed_record is not None:
            print(f"{name}: the record, mended: {printable(survey.fixed_record)}")

    @staticmethod
    def row(domain: str, survey: Optional[libspf.Survey], remarks: List[libspf.Remark], problem: str) -> Dict[str, Any]:
        if survey is None:
            return {"domain": domain, "problem": problem}
        return {
            "domain": domain,
            "record": survey.nodes[0].record,
            "lookups": survey.summary.lookups,
            "void_lookups": survey.summary.void_lookups,
            "remarks": [{"severity": remark.severity, "code": remark.code, "sentence": remark.sentence,
                         "fix": remark.fix, "section": remark.section, "offset": remark.offset,
                         "length": remark.length} for remark in remarks],
            "fixed_record": survey.fixed_record,
        }


def read_domains(operands: List[str]) -> List[str]:
    """Each once; "-" stands for the lines of the standard input, of which "#" begins a comment."""
    lines: List[str] = []
    for operand in operands:
        if operand == "-":
            with open(0, encoding="utf-8", errors="surrogateescape", closefd=False) as file:
                lines += [line.split("#")[0] for line in file]
        else:
            lines.append(operand)
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def number(least: float, most: float, kind: Any) -> Any:
    """An argparse type that names what is allowed."""
    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of {least:g} to {most:g}")
        return value
    return parse


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Lints the SPF records of many domains at once.")
    parser.add_argument("domain", nargs="+", help="a domain; - reads a list from the standard input, one a line")
    parser.add_argument("--severity", choices=SEVERITIES, default="advice", help="leave out what is less than that")
    parser.add_argument("--jobs", type=number(1, 10000, int), default=50, metavar="N",
                        help="domains at once, 1 to 10000 (default: 50)")
    parser.add_argument("--timeout", type=number(0.001, 600, float), metavar="SECONDS", help="for one domain")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each domain")
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
    print(f"lint_domains: writing failed: {error.strerror}", file=sys.stderr)
    return 2


def main() -> int:
    prepare_streams()
    args = arguments().parse_args()
    try:
        context = libspf.Context(args.config, resolver=args.resolver, zone=args.zone)
        domains = read_domains(args.domain)
    except (OSError, ValueError, libspf.Error) as error:
        print(f"lint_domains: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # of whoever should have typed the list
        return 130
    with context:
        try:
            code = asyncio.run(Lint(args, context, domains).run())
            sys.stdout.flush()
            return code
        except OSError as error:
            return output_failed(error)


if __name__ == "__main__":
    sys.exit(main())
