#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An SPF policy service for Postfix: SMTPD_POLICY_README's protocol on asyncio, every check through libspf.

main.cf:

    smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service inet:127.0.0.1:10030

The HELO name is checked first, then MAIL FROM. A message that is let through gets one header field, whatever the
number of its recipients. Clients that have logged in, and those on the lists given, are not checked.
"""
from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Optional, Set, Tuple, Union

import libspf

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Attributes = Dict[str, str]

log = logging.getLogger("spf-policy")

REQUEST_MAX = 65536  # octets; Postfix sends some 700
MESSAGES_MAX = 10000  # messages whose decision is remembered: far more than are ever open at once
GRACE_S = 10.0  # after SIGTERM, for the checks under way

REFUSED: Dict[str, FrozenSet[str]] = {
    "off": frozenset(),  # the identity is not even checked
    "never": frozenset(),
    "null": frozenset({"fail"}),  # HELO only: for the null reverse-path
    "fail": frozenset({"fail"}),
    "softfail": frozenset({"fail", "softfail"}),
    "not-pass": frozenset({"fail", "softfail", "neutral", "permerror"}),
}
MAIL_MODES = ("off", "never", "fail", "softfail", "not-pass")
HELO_MODES = MAIL_MODES + ("null",)
HEADERS = ("received-spf", "authentication-results", "none")


@dataclass(frozen=True)
class Settings:
    """What the administrator decides."""

    helo: str = "fail"
    mail_from: str = "fail"
    refuse_permerror: bool = False
    defer_temperror: bool = False
    dry_run: bool = False
    header: str = "received-spf"
    allowed_networks: Tuple[Network, ...] = ()
    allowed_helos: FrozenSet[str] = frozenset()
    allowed_domains: Tuple[str, ...] = ()


class Policy:
    """From a request's attributes to Postfix's action."""

    def __init__(self, settings: Settings, context: libspf.Context) -> None:
        self.settings = settings
        self.context = context
        self.decided: OrderedDict[str, str] = OrderedDict()  # by instance: what its next recipient is told

    async def action(self, request: Attributes) -> str:
        """The action for one request; later requests of the same message repeat a refusal, but not a header."""
        instance = request.get("instance", "")
        if instance in self.decided:
            return self.decided[instance]
        action = await self.decide(request)
        if instance:
            self.decided[instance] = "DUNNO" if action.startswith("PREPEND ") else action
            while len(self.decided) > MESSAGES_MAX:
                self.decided.popitem(last=False)
        return action

    async def decide(self, request: Attributes) -> str:
        if request.get("sasl_username") or not request.get("client_address"):
            return "DUNNO"
        if await self.is_allowed(request):
            return "DUNNO"
        results: List[libspf.Result] = []
        for identity, mode in self.identities(request):
            result = await self.check(request, identity)
            log.info("%s=%s client=%s sender=<%s> helo=%s: %s", identity, result.result, result.ip, result.sender,
                     result.helo, result.reason)
            refusal = None if self.settings.dry_run else self.refusal(result, mode, request)
            if refusal is not None:
                return refusal
            results.append(result)
        return self.header(results)

    def identities(self, request: Attributes) -> List[Tuple[str, str]]:
        """Which identities to check, each with its mode. For the null reverse-path both are the HELO name."""
        settings, found = self.settings, []
        if settings.helo != "off" and request.get("helo_name"):
            found.append(("helo", settings.helo))
        if settings.mail_from != "off" and (request.get("sender") or not found):
            found.append(("mailfrom", settings.mail_from))
        return found

    async def check(self, request: Attributes, identity: str) -> libspf.Result:
        return await self.context.check_async(request["client_address"], request.get("sender"),
                                              request.get("helo_name"), identity=identity)

    async def is_allowed(self, request: Attributes) -> bool:
        """Whether a list lets the client through. A HELO name anyone could claim: its addresses must say so too."""
        settings = self.settings
        client = ipaddress.ip_address(request["client_address"])
        if any(client in network for network in settings.allowed_networks):
            return True
        helo = request.get("helo_name", "").lower().rstrip(".")
        if helo in settings.allowed_helos and await self.passes(client, helo, "v=spf1 a -all"):
            return True
        for domain in settings.allowed_domains:
            if await self.passes(client, domain, None):
                return True
        return False

    async def passes(self, client: Union[ipaddress.IPv4Address, ipaddress.IPv6Address], domain: str,
                     record: Optional[str]) -> bool:
        """Whether `domain` authorises the client, by its own record or by one that is made up here."""
        result = await self.context.check_async(client, "postmaster@" + domain, record=record)
        return result.result == "pass"

    def refusal(self, result: libspf.Result, mode: str, request: Attributes) -> Optional[str]:
        """Postfix's action if the mail is refused for this result."""
        word = str(result.result)
        if mode in ("off", "never") or (mode == "null" and request.get("sender")):
            return None
        reply = result.smtp_reply()
        text = " ".join(reply.text.split())
        if word == "temperror":
            return f"DEFER_IF_PERMIT {reply.enhanced} {text}" if self.settings.defer_temperror else None
        if word not in REFUSED[mode] and not (word == "permerror" and self.settings.refuse_permerror):
            return None
        if reply.code >= 500:
            return f"{reply.code} {reply.enhanced} {text}"
        return f"550 5.7.23 SPF {word}: {result.reason}"  # stricter than RFC 7208, by this host's own policy

    def header(self, results: List[libspf.Result]) -> str:
        """One PREPEND: Postfix takes one line and one action."""
        if not results or self.settings.header == "none":
            return "DUNNO"
        if self.settings.header == "received-spf":
            return "PREPEND " + results[-1].received_spf()
        others = "".join("; " + result.authentication_resinfo() for result in results[:-1])
        return "PREPEND " + results[-1].authentication_results() + others


def parse_request(data: bytes) -> Attributes:
    """The `name=value` lines of one request. ValueError if it is none of Postfix's."""
    attributes: Attributes = {}
    for line in data.decode("utf-8", "replace").split("\n"):  # and not where else Unicode has lines end
        name, is_pair, value = line.partition("=")
        if is_pair:
            attributes[name] = value
        elif line:
            raise ValueError(f"{line!r} is not name=value")
    if attributes.get("request") != "smtpd_access_policy":
        raise ValueError(f"request={attributes.get('request')!r}; only smtpd_access_policy is known")
    return attributes


class Service:
    """Connections and their end. Postfix keeps one open for each smtpd process and asks one question at a time."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.idle: Set[asyncio.Task[None]] = set()
        self.busy: Set[asyncio.Task[None]] = set()
        self.is_stopping = False

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            self.idle.add(task)
            while not self.is_stopping:
                data = await reader.readuntil(b"\n\n")
                self.idle.discard(task)
                self.busy.add(task)
                action = await self.policy.action(parse_request(data))
                writer.write(f"action={action}\n\n".encode())
                self.busy.discard(task)
                self.idle.add(task)
                await writer.drain()
        except asyncio.IncompleteReadError as error:
            if error.partial:
                log.warning("a client hung up inside a request")
        except asyncio.LimitOverrunError:
            log.warning("a request of more than %d octets; hanging up", REQUEST_MAX)
        except (ValueError, libspf.Error, ConnectionError) as error:
            log.warning("hanging up without an answer, so that Postfix asks again: %s", error)
        except asyncio.CancelledError:
            writer.transport.abort()  # the service stops, and waits for nobody who does not read his answer
        finally:
            self.idle.discard(task)
            self.busy.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def stop(self) -> None:
        """Hangs up where nobody waits for an answer, and gives the checks under way time to end."""
        self.is_stopping = True
        for task in self.idle:
            task.cancel()
        waiting = self.idle | self.busy
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=GRACE_S)
            for task in late:
                task.cancel()


async def listen(where: str, service: Service, mode: int) -> Tuple[asyncio.AbstractServer, str]:
    """Listens at `inet:HOST:PORT` or `unix:PATH`; the server, and where it is for people and tests."""
    kind, _, place = where.partition(":")
    if kind == "unix":
        server = await asyncio.start_unix_server(service.connected, place, limit=REQUEST_MAX)
        os.chmod(place, mode)
        return server, where
    host, _, port = place.rpartition(":")
    server = await asyncio.start_server(service.connected, host.strip("[]"), int(port), limit=REQUEST_MAX)
    return server, f"inet:{host}:{server.sockets[0].getsockname()[1]}"


async def serve(where: str, mode: int, settings: Settings, context: libspf.Context) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    service = Service(Policy(settings, context))
    server, place = await listen(where, service, mode)
    print(f"policy_service: ready at {place}", file=sys.stderr, flush=True)
    await stop.wait()
    server.close()
    await service.stop()
    if where.startswith("unix:"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(where[len("unix:"):])


def place(text: str) -> str:
    kind, _, rest = text.partition(":")
    port = rest.rpartition(":")[2]
    if (kind == "unix" and rest) or (kind == "inet" and ":" in rest and port.isdecimal() and int(port) < 65536):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither inet:HOST:PORT nor unix:PATH")


def network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no address and no ADDRESS/LENGTH") from error


def octal(text: str) -> int:
    if text and set(text) <= set("01234567") and int(text, 8) <= 0o777:
        return int(text, 8)
    raise argparse.ArgumentTypeError(f"{text!r} is no octal mode of 0 to 777")


def domain(text: str) -> str:
    return text.lower().rstrip(".")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="An SPF policy service for Postfix.")
    parser.add_argument("--listen", type=place, default="inet:127.0.0.1:10030", metavar="WHERE",
                        help="inet:HOST:PORT (port 0: any free one) or unix:PATH (default: %(default)s)")
    parser.add_argument("--socket-mode", type=octal, default=0o660, metavar="MODE",
                        help="permissions of unix:PATH, octal (default: 660)")
    parser.add_argument("--helo-reject", choices=HELO_MODES, default="fail",
                        help="refuse for the HELO name's result: 'null' for the null reverse-path only, 'never' only "
                        "adds a header, 'off' does not check (default: %(default)s)")
    parser.add_argument("--mail-from-reject", choices=MAIL_MODES, default="fail",
                        help="the same for MAIL FROM (default: %(default)s)")
    parser.add_argument("--reject-permerror", action="store_true", help="refuse for permerror")
    parser.add_argument("--defer-temperror", action="store_true", help="answer temperror with DEFER_IF_PERMIT")
    parser.add_argument("--header", choices=HEADERS, default="received-spf",
                        help="what is added to the message (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="log and add headers, refuse nothing")
    parser.add_argument("--allow-network", type=network, action="append", metavar="NETWORK", default=[],
                        help="clients that are not checked, besides 127.0.0.0/8 and ::1; repeatable")
    parser.add_argument("--allow-helo", type=domain, action="append", metavar="NAME", default=[],
                        help="HELO names that are not checked if they resolve to the client; repeatable")
    parser.add_argument("--allow-domain", type=domain, action="append", metavar="DOMAIN", default=[],
                        help="clients that this domain's SPF record authorises are not checked further; repeatable")
    parser.add_argument("--config", help="a configuration file of libspf")
    parser.add_argument("--resolver", help="ADDRESS[@PORT] of a DNS server, 'recursive' or 'none'")
    parser.add_argument("--zone", help="a master file that goes before DNS")
    parser.add_argument("--receiver", help="this host's name, for the headers")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every request's result, not only problems")
    return parser


def settings_of(args: argparse.Namespace) -> Settings:
    own = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    return Settings(
        helo=args.helo_reject, mail_from=args.mail_from_reject, refuse_permerror=args.reject_permerror,
        defer_temperror=args.defer_temperror, dry_run=args.dry_run, header=args.header,
        allowed_networks=tuple(own + args.allow_network), allowed_helos=frozenset(args.allow_helo),
        allowed_domains=tuple(args.allow_domain))


def main() -> int:
    args = arguments().parse_args()
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO if args.verbose else logging.WARNING)
    try:
        context = libspf.Context(args.config, resolver=args.resolver, zone=args.zone, receiver=args.receiver)
    except (ValueError, libspf.Error) as error:
        print(f"policy_service: {error}", file=sys.stderr)
        return 1
    with context:
        try:
            asyncio.run(serve(args.listen, args.socket_mode, settings_of(args), context))
        except OSError as error:
            print(f"policy_service: {args.listen}: {error.strerror or error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
