# SPDX-License-Identifier: MIT
"""examples/python/smtp_server.py: refuses, flags, keeps."""
import mailbox
import pathlib
import smtplib
import socket
from typing import Iterator, List

import pytest

from example_programs import STEP_S, offline, run, server

pytest.importorskip("aiosmtpd", reason="aiosmtpd is not installed for this Python")

NAME = "smtp_server.py"


class Proxied(smtplib.SMTP):
    """A client behind a PROXY header, so that it has any address."""

    def __init__(self, where: str, client: str) -> None:
        self.client = client
        host, _, port = where.rpartition(":")
        super().__init__(host, int(port), "mail.plain.example", timeout=STEP_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), timeout)
        family, server_address = ("TCP6", "::1") if ":" in self.client else ("TCP4", "127.0.0.1")
        connection.sendall(f"PROXY {family} {self.client} {server_address} 4000 25\r\n".encode())
        return connection


@pytest.fixture(name="arguments")
def _arguments(tmp_path: pathlib.Path) -> Iterator[List[str]]:
    yield [*offline(tmp_path), "--listen", "127.0.0.1:0", "--proxy-protocol", "--maildir", str(tmp_path / "box")]


REFUSING = [  # sender, HELO, client, the reply to MAIL
    ("ann@pass.example", "mail.plain.example", "192.0.2.7", "250 "),
    ("ann@fail.example", "mail.plain.example", "192.0.2.7", "550 5.7.23 "),
    ("ann@perm.example", "mail.plain.example", "192.0.2.7", "550 5.7.24 "),
    ("ann@temp.example", "mail.plain.example", "192.0.2.7", "451 4.7.24 "),
    ("ann@soft.example", "mail.plain.example", "192.0.2.7", "250 "),
    ("ann@pass.example", "badhelo.example", "192.0.2.7", "550 5.7.23 "),
    ("", "helo.example", "192.0.2.7", "250 "),
    ("", "badhelo.example", "192.0.2.7", "550 5.7.23 "),
    ("ann@pass.example", "mail.plain.example", "2001:db8::1", "550 5.7.23 "),
]


def test_refuses(arguments: List[str]) -> None:
    with server(NAME, *arguments) as (_, where):
        for sender, helo, client, start in REFUSING:
            with Proxied(where, client) as smtp:
                smtp.ehlo(helo)
                code, text = smtp.mail(sender)
                assert f"{code} {text.decode()}".startswith(start), (sender, helo, client, code, text)


def test_flags_and_keeps(arguments: List[str], tmp_path: pathlib.Path) -> None:
    with server(NAME, *arguments, "--mode", "flag") as (_, where):
        for sender in ("ann@pass.example", "ann@fail.example", "ann@temp.example"):
            with Proxied(where, "192.0.2.7") as smtp:
                smtp.sendmail(sender, ["bob@receiver.example"], f"Subject: {sender}\r\n\r\nHello.\r\n")
    box = mailbox.Maildir(str(tmp_path / "box"), create=False)
    found = {str(message["Subject"]): str(message["Received-SPF"]) for message in box}
    assert {subject: field.split()[0] for subject, field in found.items()} == {
        "ann@pass.example": "pass", "ann@fail.example": "fail", "ann@temp.example": "temperror"}
    assert all(message.keys()[0] == "Received-SPF" and message.get_payload() == "Hello.\n" for message in box)


def test_without_proxy_the_peer_is_checked(tmp_path: pathlib.Path) -> None:
    with server(NAME, *offline(tmp_path), "--listen", "127.0.0.1:0") as (_, where):
        host, _, port = where.rpartition(":")
        with smtplib.SMTP(host, int(port), "mail.plain.example", timeout=STEP_S) as smtp:
            smtp.ehlo()
            assert smtp.mail("ann@pass.example")[0] == 550


def test_arguments() -> None:
    for given, text in ((["--listen", "25"], "'25' is not HOST:PORT"), (["--mode", "x"], "'x'")):
        done = run(NAME, *given)
        assert done.returncode == 2 and text in done.stderr
    wrong = run(NAME, "--resolver", "dns.example")
    assert wrong.returncode == 1 and '"dns.example"' in wrong.stderr and len(wrong.stderr.splitlines()) == 1
    assert "--proxy-protocol" in run(NAME, "--help").stdout
