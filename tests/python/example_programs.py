# SPDX-License-Identifier: MIT
"""The example programs as processes, and a zone for them that needs no network."""
import contextlib
import os
import pathlib
import subprocess
import sys
from typing import Iterator, List, Tuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "python"
STEP_S = 60

# The client 192.0.2.7 is pass.example's. Asking for a CNAME loop fails.
ZONE = """\
$TTL 300
example. IN SOA ns.example. hostmaster.example. 1 3600 600 86400 300
pass.example. IN TXT "v=spf1 ip4:192.0.2.7 -all"
fail.example. IN TXT "v=spf1 ip4:198.51.100.1 exp=why.example -all"
why.example. IN TXT "%{i} is none of ours"
soft.example. IN TXT "v=spf1 ~all"
neutral.example. IN TXT "v=spf1 ?all"
perm.example. IN TXT "v=spf1 ip4:192.0.2.0/33 -all"
temp.example. IN TXT "v=spf1 a:loop.example -all"
loop.example. IN CNAME loop.example.
plain.example. IN TXT "nothing about mail"
helo.example. IN TXT "v=spf1 a -all"
helo.example. IN A 192.0.2.7
claimed.example. IN A 198.51.100.9
badhelo.example. IN TXT "v=spf1 -all"
softhelo.example. IN TXT "v=spf1 ~all"
"""


def zone_file(folder: pathlib.Path) -> str:
    path = folder / "zone"
    path.write_text(ZONE)
    return str(path)


def offline(folder: pathlib.Path) -> List[str]:
    """Arguments for a program that asks no network."""
    return ["--resolver", "none", "--zone", zone_file(folder)]


def command(name: str, *arguments: str) -> List[str]:
    return [sys.executable, str(EXAMPLES / name), *arguments]


def run(name: str, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(name, *arguments), input=given, capture_output=True, text=True, timeout=STEP_S,
                          check=False)


@contextlib.contextmanager
def server(name: str, *arguments: str) -> Iterator[Tuple["subprocess.Popen[str]", str]]:
    """A program that serves: the process, and where it said that it listens. Ended at the end of the block."""
    with subprocess.Popen(command(name, *arguments), stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert " ready at " in line, line + process.stderr.read()
            yield process, line.split(" ready at ")[1].strip()
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=STEP_S)
