# SPDX-License-Identifier: MIT
"""examples/python/lint_domains.py: what it prints, counts and exits with."""
import json
import pathlib
import re
import signal
import socket
import subprocess
from typing import Any, List

import pytest

from example_programs import STEP_S, command, interrupt_while_reading, offline, run, run_with_streams
from test_examples_recheck import on_terminal

NAME = "lint_domains.py"


def test_text(tmp_path: pathlib.Path) -> None:
    done = run(NAME, *offline(tmp_path), "perm.example", "pass.example", "a..b", "\x1b[2J.example")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and "\x1b" not in done.stdout + done.stderr
    assert lines[0].startswith("perm.example: error: ") and lines[0].endswith("]")
    assert any(re.match(r"pass.example: advice: .*\[all-without-dmarc\]$", line) for line in lines)
    assert any(line.startswith('a..b: domain "a..b" is no domain name') for line in lines)
    assert "4 of 4 domains: " in done.stderr
    some = run(NAME, *offline(tmp_path), "--severity", "error", "pass.example")
    assert (some.returncode, some.stdout) == (0, "")


def test_json_in_the_order_of_the_list(tmp_path: pathlib.Path) -> None:
    domains = ["pass.example", "perm.example", "fail.example", "soft.example", "neutral.example", "helo.example"] * 2
    text = "# a list\n\n" + "\n".join(domains) + " # again\nx..y\n"
    done = run(NAME, *offline(tmp_path), "--json", "--jobs", "3", "-", given=text)
    rows: List[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["domain"] for row in rows] == domains[:6] + ["x..y"]
    assert rows[0]["record"] == "v=spf1 ip4:192.0.2.7 -all" and rows[0]["lookups"] == 0
    remark = rows[1]["remarks"][0]
    assert remark["severity"] == "error" and remark["section"].startswith("RFC 7208") and remark["offset"] == 21
    assert "is no domain name" in rows[6]["problem"] and done.returncode == 1


def test_exit_status(tmp_path: pathlib.Path) -> None:
    statuses = [(["pass.example"], 0), (["pass.example", "perm.example"], 1), (["temp.example"], 5)]
    for domains, expected in statuses:
        assert run(NAME, *offline(tmp_path), *domains).returncode == expected, domains
    wrong: List[Any] = [(["--jobs", "0", "x"], "'0' is no number of 1 to 10000"), ([], "required: domain"),
                        (["--severity", "bad", "x"], "invalid choice"),
                        (["--zone", str(tmp_path / "missing"), "x"], "missing")]
    for arguments, text in wrong:
        done = run(NAME, *arguments)
        assert done.returncode == 2 and text in done.stderr and "Traceback" not in done.stderr


def test_bar(tmp_path: pathlib.Path) -> None:
    arguments = [*offline(tmp_path), "--severity", "error", "soft.example", "neutral.example", "pass.example"]
    assert re.search(r"\[\x1b\[32m#+\x1b\[0m\] 3 of 3 domains", on_terminal(arguments, NAME))
    plain = on_terminal(arguments, NAME, NO_COLOR="1")
    assert "[##############################] 3 of 3 domains" in plain and "\x1b[32m" not in plain
    assert "[" not in on_terminal([*arguments, "--no-progress"], NAME)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path: pathlib.Path, number: signal.Signals) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 0))
        dns.settimeout(STEP_S)
        arguments = [*offline(tmp_path), "--resolver", f"127.0.0.1@{dns.getsockname()[1]}", "--timeout", "600"]
        with subprocess.Popen(command(NAME, *arguments, "stuck.invalid"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            dns.recv(4096)
            process.send_signal(number)
            _, err = process.communicate(timeout=STEP_S)
        assert process.returncode == 130 and "0 of 1 domains" in err and "Traceback" not in err


def test_interrupted_while_it_reads(tmp_path: pathlib.Path) -> None:
    code, err = interrupt_while_reading(NAME, *offline(tmp_path), "-")
    assert code == 130 and "Traceback" not in err


def test_output_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    with open("/dev/full", "wb") as full:
        done = run_with_streams(NAME, *offline(tmp_path), "perm.example", stdout=full)
    assert done.returncode == 2 and done.stderr.count(b"No space left on device") == 1
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr
    for closed in ((1,), (2,), (1, 2)):
        done = run_with_streams(NAME, *offline(tmp_path), "perm.example", closed=closed)
        assert done.returncode == 1 and b"Traceback" not in done.stderr, closed


def test_help() -> None:
    done = run(NAME, "--help")
    assert done.returncode == 0 and "--severity" in done.stdout
