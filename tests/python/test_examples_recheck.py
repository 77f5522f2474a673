# SPDX-License-Identifier: MIT
"""examples/python/recheck_log.py: what it reads, prints, counts, and how it is stopped."""
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
from typing import Any, Dict, List

import pytest

from example_programs import STEP_S, command, interrupt_while_reading, offline, run, run_with_streams

NAME = "recheck_log.py"

CSV = """\
192.0.2.7,ann@pass.example,mail.pass.example,pass
192.0.2.8,ann@pass.example,mail.pass.example,pass
192.0.2.7,ann@soft.example,mail.soft.example
2001:db8::1,"ann@neutral.example",mail.neutral.example,neutral
not an address,ann@pass.example,x

192.0.2.7,,helo.example
"""
CSV_SAID = [  # line, result, was
    (1, "pass", "pass"), (2, "fail", "pass"), (3, "softfail", None), (4, "neutral", "neutral"), (7, "pass", None),
]
NAMED = """\
when,result,sender,ip,helo
Monday,fail,ann@pass.example,192.0.2.7,mail.pass.example
"""
EXIM = """\
2026-11-20 10:00:00 1abcde-000001-AA <= ann@pass.example H=mail.pass.example [192.0.2.7] P=esmtp S=500
2026-11-20 10:00:01 1abcde-000002-AA <= ann@soft.example H=host.isp.example (helo.example) [192.0.2.8]:4021 P=esmtp
2026-11-20 10:00:02 1abcde-000003-AA <= <> H=(helo.example) [192.0.2.7] P=esmtp S=500
2026-11-20 10:00:03 1abcde-000003-AA => bob <bob@receiver.example> R=local T=mail
2026-11-20 10:00:04 1abcde-000004-AA <= root@host.example U=root P=local S=500
"""
POSTFIX = """\
Nov 20 10:00:00 mx postfix/smtpd[12]: 4F1A2B3C: client=mail.pass.example[192.0.2.7]
Nov 20 10:00:00 mx postfix/smtpd[13]: 5A5A5A5A: client=unknown[192.0.2.8], sasl_username=bob
Nov 20 10:00:01 mx postfix/qmgr[9]: 5A5A5A5A: from=<ann@soft.example>, size=1000, nrcpt=1 (queue active)
Nov 20 10:00:01 mx postfix/qmgr[9]: 4F1A2B3C: from=<ann@pass.example>, size=1000, nrcpt=1 (queue active)
Nov 20 10:00:02 mx postfix/qmgr[9]: 00000000: from=<ann@pass.example>, size=1000, nrcpt=1 (queue active)
Nov 20 10:00:03 mx postfix/submission/smtpd[14]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.7.23 no; \
from=<ann@fail.example> to=<bob@receiver.example> proto=ESMTP helo=<helo.example>
"""
FIELDS = """\
Received-SPF: softfail (mx: no) client-ip=192.0.2.7; envelope-from="ann@pass.example"; helo=mail.pass.example;
Nov 20 10:00:00 mx policyd[1]: prepend Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.8; \
helo=x.example; envelope-from=ann@soft.example; receiver=<UNKNOWN>
"""

# the text, and (line, ip, sender, helo, was, result) for each question
FORMATS = [
    (NAMED, [(2, "192.0.2.7", "ann@pass.example", "mail.pass.example", "fail", "pass")]),
    (EXIM, [(1, "192.0.2.7", "ann@pass.example", "mail.pass.example", None, "pass"),
            (2, "192.0.2.8", "ann@soft.example", "helo.example", None, "softfail"),
            (3, "192.0.2.7", "", "helo.example", None, "pass")]),
    (POSTFIX, [(3, "192.0.2.8", "ann@soft.example", "", None, "softfail"),
               (4, "192.0.2.7", "ann@pass.example", "", None, "pass"),
               (6, "192.0.2.9", "ann@fail.example", "helo.example", None, "fail")]),
    (FIELDS, [(1, "192.0.2.7", "ann@pass.example", "mail.pass.example", "softfail", "pass"),
              (2, "192.0.2.8", "ann@soft.example", "x.example", "pass", "softfail")]),
]


def rows(text: str) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_csv(tmp_path: pathlib.Path) -> None:
    done = run(NAME, *offline(tmp_path), "--json", given=CSV)
    said = rows(done.stdout)
    assert done.returncode == 0
    assert [(row["line"], row["result"], row["was"]) for row in said[:-1]] == CSV_SAID
    assert said[-1] == {"summary": {"pass": 2, "fail": 1, "softfail": 1, "neutral": 1}, "checks": 5, "changed": 1,
                        "lines": 7, "interrupted": False}
    assert "5 checks of 7 lines: 2 pass" in done.stderr and "1 changed" in done.stderr


@pytest.mark.parametrize("text,expected", FORMATS)
def test_formats(tmp_path: pathlib.Path, text: str, expected: List[Any]) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    said = rows(run(NAME, *offline(tmp_path), "--json", str(path)).stdout)[:-1]
    found = [(row["line"], row["ip"], row["sender"], row["helo"], row["was"], row["result"]) for row in said]
    assert found == expected


def test_text_and_choices(tmp_path: pathlib.Path) -> None:
    plain = run(NAME, *offline(tmp_path), given=CSV)
    assert len(plain.stdout.splitlines()) == 5 and "\x1b" not in plain.stdout + plain.stderr
    assert plain.stdout.startswith("1: pass ip=192.0.2.7 sender=<ann@pass.example> helo=mail.pass.example: ")
    changed = run(NAME, *offline(tmp_path), "--changed-only", given=CSV)
    assert changed.stdout.startswith("2: fail (was pass) ") and len(changed.stdout.splitlines()) == 1
    skipped = run(NAME, *offline(tmp_path), "--skip", "3", given=CSV)
    assert [line.split(":")[0] for line in skipped.stdout.splitlines()] == ["4", "7"]
    hostile = run(NAME, *offline(tmp_path), given="192.0.2.7,\x1b[2J@soft.example,h\x07\n")
    assert "\x1b" not in hostile.stdout and "\x07" not in hostile.stdout and "softfail" in hostile.stdout


def test_lines_of_any_octets(tmp_path: pathlib.Path) -> None:
    """What is no question is skipped, and the lines after it are answered all the same."""
    bad = [b"\xff\xfe,ann@\xffpass.example,h", b"192.0.2.7,\x00@pass.example,h", b"fe80::1%eth0,ann@pass.example,h",
           b"192.0.2.7," + b"a" * 5000 + b"@pass.example,h", b'192.0.2.7,"' + b"x" * 200000, b"\x85\x0c", b'"', b",,,,"]
    path = tmp_path / "list"
    path.write_bytes(b"\n".join(bad) + b"\n192.0.2.7,ann@pass.example,h\n")
    for arguments in ([str(path)], ["-"]):
        with open(path, "rb") as file:
            done = subprocess.run(command(NAME, *offline(tmp_path), "--json", *arguments), stdin=file,
                                  capture_output=True, timeout=STEP_S, check=False)
        assert done.returncode == 0, done.stderr
        said = rows(done.stdout.decode())
        assert said[-2]["line"] == len(bad) + 1 and said[-2]["result"] == "pass"


def test_order_with_many_at_once(tmp_path: pathlib.Path) -> None:
    text = "".join(f"192.0.2.{number % 250},u{number}@pass.example,h\n" for number in range(3000))
    said = rows(run(NAME, *offline(tmp_path), "--json", "--jobs", "64", given=text).stdout)
    assert [row["line"] for row in said[:-1]] == list(range(1, 3001)) and said[-1]["checks"] == 3000
    assert said[-1]["summary"]["pass"] == 12


def on_terminal(arguments: List[str], program: str = NAME, **environment: str) -> str:
    """What the program's standard error shows on a terminal."""
    try:
        control, terminal = pty.openpty()
    except OSError as error:
        pytest.skip("no terminal can be opened here: %s" % error)
    with subprocess.Popen(command(program, *arguments), stdout=subprocess.DEVNULL, stderr=terminal,
                          env={**{key: value for key, value in os.environ.items() if key != "NO_COLOR"},
                               **environment}) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(control, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert process.wait(STEP_S) == 0
    os.close(control)
    return shown.decode()


def test_bar(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "list"
    path.write_text("".join(f"192.0.2.{number % 250},u{number}@pass.example,h\n" for number in range(6000)))
    arguments = [*offline(tmp_path), str(path)]
    coloured = on_terminal(arguments)
    assert re.search(r"\[\x1b\[32m#+-*\x1b\[0m\] +\d+% \d+ checks, \d+/s", coloured)
    plain = on_terminal(arguments, NO_COLOR="1")
    assert "checks, " in plain and "\x1b[32m" not in plain
    assert "/s" not in on_terminal([*arguments, "--no-progress"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path: pathlib.Path, number: signal.Signals) -> None:
    """The tenth line's name server never answers: what came before it is reported, and how to go on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 0))
        dns.settimeout(STEP_S)
        path = tmp_path / "list"
        path.write_text("192.0.2.7,ann@pass.example,h\n" * 9 + "192.0.2.7,ann@stuck.invalid,h\n" * 5)
        where = f"127.0.0.1@{dns.getsockname()[1]}"
        arguments = [*offline(tmp_path), "--resolver", where, "--timeout", "600", "--json", str(path)]
        with subprocess.Popen(command(NAME, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            dns.recv(4096)
            process.send_signal(number)
            out, err = process.communicate(timeout=STEP_S)
        assert process.returncode == 130
        said = rows(out)
        assert said[-1]["interrupted"] and said[-1]["lines"] == len(said) - 1 <= 9
        assert f"go on with --skip {said[-1]['lines']}" in err


def test_closed_pipe(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "list"
    path.write_text("192.0.2.7,ann@pass.example,h\n" * 20000)
    with subprocess.Popen(command(NAME, *offline(tmp_path), str(path)), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("1: pass")
        process.stdout.close()
        assert process.wait(STEP_S) == 0 and "Traceback" not in process.stderr.read()


BAD = [
    (["--jobs", "0"], "'0' is no number of 1 to 10000"),
    (["--jobs", "many"], "'many' is no number"),
    (["--timeout", "-1"], "'-1' is no number of 0.001 to 600"),
    (["--skip", "x"], "'x' is no number"),
]


@pytest.mark.parametrize("arguments,text", BAD)
def test_arguments(arguments: List[str], text: str) -> None:
    done = run(NAME, *arguments)
    assert done.returncode == 2 and text in done.stderr


def test_missing_files(tmp_path: pathlib.Path) -> None:
    missing = str(tmp_path / "missing")
    for arguments in ([missing], ["--zone", missing], ["--config", missing]):
        done = run(NAME, *arguments)
        assert done.returncode == 1 and missing in done.stderr and "Traceback" not in done.stderr
    wrong = run(NAME, "--resolver", "dns.example")
    assert wrong.returncode == 1 and '"dns.example"' in wrong.stderr and len(wrong.stderr.splitlines()) == 1


def test_interrupted_while_it_reads(tmp_path: pathlib.Path) -> None:
    code, err = interrupt_while_reading(NAME, *offline(tmp_path))
    assert code == 130 and "interrupted: go on with --skip 0" in err and "Traceback" not in err


def test_output_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "list"
    path.write_text(CSV)
    for form in ("--json", "--no-progress"):
        with open("/dev/full", "wb") as full:
            done = run_with_streams(NAME, *offline(tmp_path), form, str(path), stdout=full)
        assert done.returncode == 1 and done.stderr.count(b"No space left on device") == 1
        assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr
    for closed in ((1,), (2,), (1, 2)):
        done = run_with_streams(NAME, *offline(tmp_path), str(path), closed=closed)
        assert done.returncode == 0 and b"Traceback" not in done.stderr, closed
    path.write_text("192.0.2.7,ann\u20ac@pass.example,h\n")
    done = run_with_streams(NAME, *offline(tmp_path), str(path), stdout=subprocess.PIPE, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0 and b"sender=<ann?@pass.example>" in done.stdout, done.stderr


def test_help() -> None:
    done = run(NAME, "--help")
    assert done.returncode == 0 and "--changed-only" in done.stdout
