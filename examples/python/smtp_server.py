#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An SMTP server on aiosmtpd that refuses or flags mail by SPF, and keeps what it accepts in a Maildir.

The part worth taking is SPFHandler: give it to aiosmtpd's SMTP or Controller in front of your own handler's
handle_DATA. Behind HAProxy or another MTA, --proxy-protocol takes the client's address from there.
"""
from __future__ import annotations

import argparse
import asyncio
import logging
import mailbox
import signal
import sys
from typing import List, Optional, Tuple, cast

import libspf
from aiosmtpd.proxy_protocol import ProxyData
from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger("smtp_server")

MODES = ("refuse", "flag")


class SPFHandler:
    """Checks at MAIL FROM; what is let through has Received-SPF in front when handle_DATA hands it on."""

    def __init__(self, context: libspf.Context, mode: str, box: Optional[mailbox.Maildir] = None) -> None:
        self.context, self.mode, self.box = context, mode, box

    async def handle_PROXY(self, server: SMTP, session: Session, envelope: Envelope, data: ProxyData) -> bool:
        return True  # asked only with --proxy-protocol: whoever can connect is believed

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str,
                          mail_options: List[str]) -> str:
        client, helo = client_of(session), session.host_name or ""
        for identity in ("helo", "mailfrom") if address else ("mailfrom",):  # for the null one both are the HELO name
            result = await self.context.check_async(client, address, helo, identity=identity)
            reply = result.smtp_reply()
            log.info("%s=%s client=%s: %s", identity, result.result, client, result.reason)
            if self.mode == "refuse" and reply.code >= 400:
                return smtp_lines(reply)
        setattr(envelope, "received_spf", result.received_spf("crlf"))
        setattr(envelope, "mail_from", address)
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        message = getattr(envelope, "received_spf").encode() + b"\r\n" + content
        if self.box is not None:
            self.box.add(message)
        return "250 2.0.0 OK"


def client_of(session: Session) -> str:
    """The client's address, without a zone id."""
    proxied = session.proxy_data
    peer = cast(Tuple[str, int], session.peer)
    address = proxied.src_addr if proxied is not None and proxied.src_addr else peer[0]
    return str(address).partition("%")[0]


def smtp_lines(reply: libspf.SMTPReply) -> str:
    """A reply of one or more lines, as the wire has it."""
    lines = reply.text.split("\n")
    return "\r\n".join(f"{reply.code}{'-' if line is not lines[-1] else ' '}{reply.enhanced} {line}" for line in lines)


async def serve(host: str, port: int, handler: SPFHandler, proxy_timeout: Optional[float]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: SMTP(handler, proxy_protocol_timeout=proxy_timeout, loop=loop),
                                      host, port)
    print(f"smtp_server: ready at {host}:{server.sockets[0].getsockname()[1]}", file=sys.stderr, flush=True)
    await stop.wait()
    server.close()


def place(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if colon and host and port.isdecimal() and int(port) < 65536:
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="An SMTP server that refuses or flags mail by SPF.")
    parser.add_argument("--listen", type=place, default="127.0.0.1:8025", metavar="HOST:PORT",
                        help="port 0: any free one (default: %(default)s)")
    parser.add_argument("--mode", choices=MODES, default="refuse",
                        help="refuse: 550 for fail and permerror, 451 for temperror; flag: only add Received-SPF "
                        "(default: %(default)s)")
    parser.add_argument("--maildir", help="where to keep what is accepted; without it, it is dropped")
    parser.add_argument("--proxy-protocol", action="store_true", help="expect HAProxy's PROXY header, version 1 or 2")
    parser.add_argument("--config", help="a configuration file of libspf")
    parser.add_argument("--resolver", help="ADDRESS[@PORT] of a DNS server, 'recursive' or 'none'")
    parser.add_argument("--zone", help="a master file that goes before DNS")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every check")
    return parser


def main() -> int:
    args = arguments().parse_args()
    logging.basicConfig(format="%(name)s: %(message)s")
    log.setLevel(logging.INFO if args.verbose else logging.WARNING)
    host, _, port = args.listen.rpartition(":")
    try:
        box = mailbox.Maildir(args.maildir) if args.maildir else None
        with libspf.Context(args.config, resolver=args.resolver, zone=args.zone) as context:
            handler = SPFHandler(context, args.mode, box)
            asyncio.run(serve(host.strip("[]"), int(port), handler, 5.0 if args.proxy_protocol else None))
    except (OSError, ValueError, libspf.Error) as error:
        print(f"smtp_server: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
