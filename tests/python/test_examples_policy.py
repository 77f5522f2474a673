# SPDX-License-Identifier: MIT
"""examples/python/policy_service.py, spoken to as Postfix does."""
import asyncio
import importlib.util
import pathlib
import signal
import socket
import stat
import sys
from typing import Any, Dict, Iterator, List, Tuple

import pytest

import libspf
from example_programs import EXAMPLES, STEP_S, ZONE, offline, run, server

NAME = "policy_service.py"


class Postfix:
    """One connection of an smtpd."""

    def __init__(self, where: str) -> None:
        kind, _, place = where.partition(":")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(STEP_S)
            self.socket.connect(place)
        else:
            host, _, port = place.rpartition(":")
            self.socket = socket.create_connection((host, int(port)), timeout=STEP_S)
        self.file = self.socket.makefile("rb")
        self.messages = 0

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> str:
        """The action; "" if the service has hung up."""
        line = self.file.readline()
        if not line:
            return ""
        assert line.startswith(b"action=") and self.file.readline() == b"\n"
        return line[len("action="):].decode().rstrip("\n")

    def ask(self, **attributes: str) -> str:
        self.send(request(**attributes))
        return self.receive()

    def message(self, sender: str, helo: str = "mail.plain.example", ip: str = "192.0.2.7", **more: str) -> str:
        """The first recipient of a new message."""
        self.messages += 1
        return self.ask(sender=sender, helo_name=helo, client_address=ip, instance=f"i.{self.messages}", **more)

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def __enter__(self) -> "Postfix":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def request(**attributes: str) -> bytes:
    usual: Dict[str, str] = {
        "request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP", "client_name": "unknown",
        "queue_id": "", "recipient": "bob@receiver.example", "size": "0", "sasl_username": "", "policy_context": "",
    }
    return ("".join(f"{name}={value}\n" for name, value in {**usual, **attributes}.items()) + "\n").encode()


@pytest.fixture(name="zone")
def _zone(tmp_path: pathlib.Path) -> Iterator[List[str]]:
    yield [*offline(tmp_path), "--receiver", "mx.receiver.example"]


TCP = ("--listen", "inet:127.0.0.1:0")

# sender's domain, the start of what the default settings answer
DEFAULTS = [
    ("pass.example", "PREPEND Received-SPF: pass ("),
    ("fail.example", "550 5.7.23 "),
    ("soft.example", "PREPEND Received-SPF: softfail ("),
    ("neutral.example", "PREPEND Received-SPF: neutral ("),
    ("plain.example", "PREPEND Received-SPF: none ("),
    ("perm.example", "PREPEND Received-SPF: permerror ("),
    ("temp.example", "PREPEND Received-SPF: temperror ("),
]


def test_results(zone: List[str]) -> None:
    with server(NAME, *TCP, *zone) as (_, where), Postfix(where) as postfix:
        for domain, start in DEFAULTS:
            action = postfix.message("ann@" + domain)
            assert action.startswith(start), domain
            assert "\r" not in action
        assert "192.0.2.7 is none of ours" in postfix.message("ann@fail.example")
        assert "receiver=mx.receiver.example" in postfix.message("ann@pass.example")


# options, sender, HELO, the start of the answer
CONFIGURED: List[Tuple[List[str], str, str, str]] = [
    (["--mail-from-reject", "softfail"], "ann@soft.example", "mail.plain.example", "550 5.7.23 SPF softfail: "),
    (["--mail-from-reject", "softfail"], "ann@neutral.example", "mail.plain.example", "PREPEND "),
    (["--mail-from-reject", "not-pass"], "ann@neutral.example", "mail.plain.example", "550 5.7.23 SPF neutral: "),
    (["--mail-from-reject", "not-pass"], "ann@perm.example", "mail.plain.example", "550 5.7.24 "),
    (["--mail-from-reject", "not-pass"], "ann@plain.example", "mail.plain.example", "PREPEND "),
    (["--mail-from-reject", "never"], "ann@fail.example", "mail.plain.example", "PREPEND Received-SPF: fail ("),
    (["--mail-from-reject", "off"], "ann@fail.example", "mail.plain.example", "PREPEND Received-SPF: none ("),
    (["--reject-permerror"], "ann@perm.example", "mail.plain.example", "550 5.7.24 "),
    (["--defer-temperror"], "ann@temp.example", "mail.plain.example", "DEFER_IF_PERMIT 4.7.24 "),
    (["--dry-run"], "ann@fail.example", "badhelo.example", "PREPEND Received-SPF: fail ("),
    (["--header", "none"], "ann@pass.example", "mail.plain.example", "DUNNO"),
    (["--header", "authentication-results"], "ann@pass.example", "helo.example",
     "PREPEND Authentication-Results: mx.receiver.example; spf=pass "),
    ([], "ann@pass.example", "badhelo.example", "550 5.7.23 "),
    ([], "", "badhelo.example", "550 5.7.23 "),
    (["--helo-reject", "null"], "ann@pass.example", "badhelo.example", "PREPEND Received-SPF: pass ("),
    (["--helo-reject", "null"], "", "badhelo.example", "550 5.7.23 "),
    (["--helo-reject", "off"], "ann@pass.example", "badhelo.example", "PREPEND Received-SPF: pass ("),
    (["--helo-reject", "off"], "", "badhelo.example", "550 5.7.23 "),
    (["--helo-reject", "off", "--mail-from-reject", "off"], "ann@fail.example", "badhelo.example", "DUNNO"),
    ([], "ann@pass.example", "softhelo.example", "PREPEND Received-SPF: pass ("),
    (["--helo-reject", "softfail"], "ann@pass.example", "softhelo.example", "550 5.7.23 SPF softfail: "),
    (["--allow-network", "192.0.2.0/24"], "ann@fail.example", "badhelo.example", "DUNNO"),
    (["--allow-network", "192.0.3.0/24"], "ann@fail.example", "mail.plain.example", "550 "),
    (["--allow-helo", "HELO.example."], "ann@fail.example", "helo.example", "DUNNO"),
    (["--allow-helo", "claimed.example"], "ann@fail.example", "claimed.example", "550 "),
    (["--allow-domain", "pass.example"], "ann@fail.example", "mail.plain.example", "DUNNO"),
    (["--allow-domain", "soft.example"], "ann@fail.example", "mail.plain.example", "550 "),
]


def load() -> Any:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("policy_service", EXAMPLES / NAME)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_settings() -> None:
    program = load()

    async def decide(context: libspf.Context, options: List[str], sender: str, helo: str) -> str:
        policy = program.Policy(program.settings_of(program.arguments().parse_args(options)), context)
        action = await policy.action(program.parse_request(request(sender=sender, helo_name=helo,
                                                                   client_address="192.0.2.7")))
        assert isinstance(action, str)
        return action

    with libspf.Context(resolver="none", zone_text=ZONE, receiver="mx.receiver.example") as context:
        null = {"sender": "", "helo_name": "helo.example"}
        assert program.Policy(program.Settings(), context).identities(null) == [("helo", "fail")]
        for options, sender, helo, start in CONFIGURED:
            action = asyncio.run(decide(context, options, sender, helo))
            assert action.startswith(start), (options, sender, helo, action)


def test_one_header_for_many_recipients(zone: List[str]) -> None:
    with server(NAME, *TCP, *zone) as (_, where), Postfix(where) as first, Postfix(where) as second:
        question = {"sender": "ann@pass.example", "helo_name": "h.plain.example", "client_address": "192.0.2.7"}
        assert first.ask(**question, instance="a.1").startswith("PREPEND ")
        assert first.ask(**question, instance="a.1", recipient="carol@receiver.example") == "DUNNO"
        assert second.ask(**question, instance="a.1") == "DUNNO"
        assert second.ask(**question, instance="a.2").startswith("PREPEND ")
        refused = {**question, "sender": "ann@fail.example", "instance": "a.3"}
        assert first.ask(**refused) == first.ask(**refused) != "DUNNO"
        assert first.ask(**question).startswith("PREPEND ") and first.ask(**question).startswith("PREPEND ")


def test_who_is_not_checked(zone: List[str]) -> None:
    with server(NAME, *TCP, *zone) as (_, where), Postfix(where) as postfix:
        assert postfix.message("ann@fail.example", sasl_username="ann") == "DUNNO"
        assert postfix.message("ann@fail.example", ip="127.0.0.1") == "DUNNO"
        assert postfix.message("ann@fail.example", ip="::1") == "DUNNO"
        assert postfix.message("ann@fail.example", ip="") == "DUNNO"
        assert postfix.message("ann@fail.example", ip="2001:db8::1").startswith("550 ")


def test_requests_in_pieces_and_several_at_once(zone: List[str]) -> None:
    ask = request(sender="ann@pass.example", helo_name="h.plain.example", client_address="192.0.2.7")
    with server(NAME, *TCP, *zone) as (_, where), Postfix(where) as postfix:
        for octet in range(len(ask)):
            postfix.send(ask[octet:octet + 1])
        assert postfix.receive().startswith("PREPEND ")
        postfix.send(ask + ask)
        assert postfix.receive().startswith("PREPEND ") and postfix.receive().startswith("PREPEND ")


MALFORMED = [
    b"hello\n\n",
    b"request=junk_policy\nsender=a@b.example\n\n",
    b"sender=a@b.example\n\n",
    request(sender="ann@pass.example", client_address="not an address"),
    b"x=" + b"y" * 100000,
]


@pytest.mark.parametrize("data", MALFORMED)
def test_trouble_is_no_answer(zone: List[str], data: bytes) -> None:
    """SMTPD_POLICY_README: in trouble do not answer, log, and hang up; and go on serving others."""
    with server(NAME, *TCP, *zone) as (process, where):
        with Postfix(where) as postfix:
            try:
                postfix.send(data)
                assert postfix.receive() == ""
            except ConnectionError:
                pass  # it hung up with octets unread
        with Postfix(where) as postfix:
            assert postfix.message("ann@pass.example").startswith("PREPEND ")
        process.terminate()
        assert process.stderr is not None and "hanging up" in process.stderr.read()


def test_hostile_values_stay_in_their_line(zone: List[str]) -> None:
    with server(NAME, *TCP, *zone) as (_, where), Postfix(where) as postfix:
        for sender in ('"a\x01\x7f; result=pass"@soft.example', "a(b)@soft.example", "jos\u00e9@soft.example", "@",
                       "a" * 4000):
            assert postfix.message(sender, helo="x; result=pass").count("\n") == 0
        for end in ("\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"):
            action = postfix.message(f"a{end}client_address=127.0.0.1{end}x=@fail.example")
            assert action.startswith("550 "), (end, action)
        assert postfix.message("ann@pass.example").startswith("PREPEND ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_unix_socket_and_stop(zone: List[str], tmp_path: pathlib.Path, number: signal.Signals) -> None:
    path = tmp_path / "policy"
    for _ in range(2):  # the second one finds no socket of the first one's in its way
        with server(NAME, "--listen", f"unix:{path}", "--socket-mode", "600", *zone) as (process, where):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            with Postfix(where) as idle, Postfix(where) as postfix:
                assert postfix.message("ann@pass.example").startswith("PREPEND ")
                process.send_signal(number)
                assert process.wait(STEP_S) == 0
                assert idle.receive() == "" and postfix.receive() == ""
        assert not path.exists()


def test_stop_lets_a_check_end(tmp_path: pathlib.Path) -> None:
    """A name server that answers only after SIGTERM was sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 0))
        dns.settimeout(STEP_S)
        where = f"127.0.0.1@{dns.getsockname()[1]}"
        with server(NAME, *TCP, "--resolver", where, "--helo-reject", "off") as (process, place), \
                Postfix(place) as postfix, Postfix(place) as idle:
            postfix.send(request(sender="ann@late.example", helo_name="h", client_address="192.0.2.7"))
            question, peer = dns.recvfrom(4096)
            process.terminate()
            assert idle.receive() == ""  # it stops, and hangs up where nothing is asked
            dns.sendto(question[:2] + b"\x81\x83" + question[4:], peer)  # NXDOMAIN
            assert postfix.receive().startswith("PREPEND Received-SPF: none (")
            assert process.wait(STEP_S) == 0


def test_stop_does_not_wait_for_who_does_not_read() -> None:
    program = load()
    program.GRACE_S = 3600.0

    class Policy:
        is_asked = False

        async def action(self, _: Dict[str, str]) -> str:
            self.is_asked = True
            return "DUNNO" * 10000000  # more than goes into any buffer

    async def main() -> None:
        policy = Policy()
        service = program.Service(policy)
        listening, place = await program.listen("inet:127.0.0.1:0", service, 0)
        with Postfix(place) as postfix:
            postfix.send(request())
            while not policy.is_asked:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)  # so that it is written; if it is not yet, the test just says less
            listening.close()
            await asyncio.wait_for(service.stop(), STEP_S)

    asyncio.run(main())


BAD_ARGUMENTS = [
    (["--listen", "10030"], "'10030' is neither inet:HOST:PORT nor unix:PATH"),
    (["--listen", "inet:127.0.0.1:70000"], "'inet:127.0.0.1:70000'"),
    (["--socket-mode", "999"], "'999' is no octal mode"),
    (["--helo-reject", "maybe"], "'maybe'"),
    (["--allow-network", "10.0.0.0/99"], "'10.0.0.0/99'"),
]


@pytest.mark.parametrize("arguments,text", BAD_ARGUMENTS)
def test_arguments(arguments: List[str], text: str) -> None:
    done = run(NAME, *arguments)
    assert done.returncode == 2 and text in done.stderr


def test_failures_to_start(tmp_path: pathlib.Path) -> None:
    missing = run(NAME, *TCP, "--zone", str(tmp_path / "none"))
    assert missing.returncode == 1 and str(tmp_path / "none") in missing.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = run(NAME, "--listen", f"inet:127.0.0.1:{taken.getsockname()[1]}", *offline(tmp_path))
        assert busy.returncode == 1 and "address already in use" in busy.stderr.lower()
    nowhere = f"unix:{tmp_path}/none/socket"
    assert run(NAME, "--listen", nowhere, *offline(tmp_path)).stderr.startswith(f"policy_service: {nowhere}: No such file")
    for arguments, text in ((["--resolver", "dns.example"], '"dns.example"'), (["--receiver", "a b"], '"a b"')):
        wrong = run(NAME, *TCP, *arguments)
        assert wrong.returncode == 1 and text in wrong.stderr and len(wrong.stderr.splitlines()) == 1


def test_help() -> None:
    done = run(NAME, "--help")
    assert done.returncode == 0 and "--helo-reject" in done.stdout
