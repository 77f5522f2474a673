# SPDX-License-Identifier: MIT
"""The example programs as processes, and a zone for them that needs no network."""
import array
import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import termios
import time
from typing import Any, Iterator, List, Tuple

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


def run_with_streams(name: str, *arguments: str, stdout: Any = subprocess.DEVNULL, closed: Tuple[int, ...] = (),
                     **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """A program whose output goes elsewhere, or that begins with some of its descriptors closed."""
    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    return subprocess.run(command(name, *arguments), stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                          timeout=STEP_S, check=False, env={**os.environ, **environment}, preexec_fn=close)


def interrupt_while_reading(name: str, *arguments: str) -> Tuple[int, str]:
    """Ctrl-C while the program waits for more of its standard input: its exit status and what it says."""
    reader, writer = os.pipe()
    with subprocess.Popen(command(name, *arguments), stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        os.write(writer, b"\n")
        while array.array("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))[0]:
            time.sleep(0.01)
        time.sleep(0.05)  # so that it waits for the next line; if it does not yet, the test just says less
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=STEP_S)
        finally:
            process.kill()
    os.close(reader)
    os.close(writer)
    return process.returncode, err


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
