# SPDX-License-Identifier: MIT
"""examples/python/policy_service.py behind a real Postfix, with clients of any address."""
import pathlib
from typing import Iterator, Tuple

import pytest

from example_programs import offline, server
from postfix_server import Postfix, Unavailable, counted, postfix

BODY = b"Subject: test\r\n\r\nHello.\r\n-- end --\r\n"
RESTRICTIONS = "reject_unauth_destination, check_policy_service {}"


@pytest.fixture(name="mail", scope="module")
def _mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postfix]:
    folder: pathlib.Path = tmp_path_factory.mktemp("postfix")
    with server("policy_service.py", "--listen", "inet:127.0.0.1:0", "--defer-temperror", *offline(folder)) as (_, at):
        try:
            with postfix(smtpd_recipient_restrictions=RESTRICTIONS.format(at)) as instance:
                yield instance
        except Unavailable as error:
            pytest.skip(str(error))


REPLIES = [  # sender, HELO, client, the reply to RCPT
    ("ann@pass.example", "mail.plain.example", "192.0.2.7", "250 2.1.5 "),
    ("ann@fail.example", "mail.plain.example", "192.0.2.7", "550 5.7.23 "),
    ("ann@fail.example", "mail.plain.example", "198.51.100.1", "250 2.1.5 "),
    ("ann@temp.example", "mail.plain.example", "192.0.2.7", "450 4.7.24 "),
    ("ann@pass.example", "badhelo.example", "192.0.2.7", "550 5.7.23 "),
    ("", "helo.example", "192.0.2.7", "250 2.1.5 "),
    ("", "badhelo.example", "192.0.2.7", "550 5.7.23 "),
    ("ann@fail.example", "mail.plain.example", "127.0.0.1", "250 2.1.5 "),
]


def rcpt(mail: Postfix, question: Tuple[str, str, str]) -> str:
    sender, helo, client = question
    with mail.client(client, helo) as smtp:
        smtp.mail(sender)
        code, text = smtp.rcpt("bob@receiver.example")
        return f"{code} {text.decode()}"


def test_replies(mail: Postfix) -> None:
    for sender, helo, client, start in REPLIES:
        assert rcpt(mail, (sender, helo, client)).startswith(start), (sender, helo, client)
    assert "192.0.2.7 is none of ours" in rcpt(mail, ("ann@fail.example", "mail.plain.example", "192.0.2.7"))


def test_one_header_for_three_recipients(mail: Postfix) -> None:
    with mail.client("192.0.2.7", "mail.plain.example") as smtp:
        smtp.mail("ann@pass.example")
        for name in ("bob", "carol", "dave"):
            assert smtp.rcpt(f"{name}@receiver.example")[0] == 250
        assert smtp.data(BODY)[0] == 250
        smtp.mail("ann@soft.example")
        assert smtp.rcpt("bob@receiver.example")[0] == 250
        assert smtp.data(BODY)[0] == 250
    messages = mail.kept(2)
    for message in messages:
        assert counted(message)["Received-SPF"] == 1, message
    assert any("Received-SPF: pass (" in message for message in messages)
    assert any("Received-SPF: softfail (" in message for message in messages)
