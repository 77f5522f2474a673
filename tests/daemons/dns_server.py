# SPDX-License-Identifier: MIT
"""A DNS server on loopback for tests of daemons: UDP and TCP on one port, over names that a test chooses."""
import ipaddress
import os
import socket
import socketserver
import struct
import threading
import time

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SPF": 99}
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
CNAMES_MAX = 8
EDNS_SIZE = 1232


def labels_of(name):
    """The labels of a name as written: text of Latin-1 octets, parted by dots."""
    return [label.encode("latin-1") for label in name.rstrip(".").split(".")] if name.rstrip(".") else []


def wire_name(name):
    labels = labels_of(name)
    if any(not 1 <= len(label) <= 63 for label in labels) or sum(len(label) + 1 for label in labels) > 254:
        raise ValueError("no DNS name: " + name)
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def strings(value):
    """A TXT record's data: a text or octets, split at 255, or a list of them."""
    parts = value if isinstance(value, list) else [value]
    data = b""
    for part in parts or [b""]:
        octets = part if isinstance(part, bytes) else part.encode("utf-8")
        for at in range(0, max(len(octets), 1), 255):
            chunk = octets[at:at + 255]
            data += bytes([len(chunk)]) + chunk
    return data


def record_data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind in ("TXT", "SPF"):
        return strings(value)
    if kind == "MX":
        return struct.pack("!H", int(value[0])) + wire_name(value[1])
    return wire_name(value)


class Zone:
    """Names to their records: {"example.com": {"TXT": ["v=spf1 -all"], "A": ["192.0.2.1"]}}.

    A type with the value "SERVFAIL" fails; so do all types of a name with "*": "SERVFAIL".
    """

    def __init__(self, names=None):
        self.names = {}
        for name, records in (names or {}).items():
            self.add(name, records)

    def add(self, name, records):
        self.names[tuple(label.lower() for label in labels_of(name))] = {
            kind: value if value == "SERVFAIL" else [record_data(kind, one) for one in value]
            for kind, value in records.items()}

    def answer(self, labels, number):
        """The response code, and the records as (name, type, data)."""
        chain, at = [], tuple(label.lower() for label in labels)
        kind = next((kind for kind, known in TYPES.items() if known == number), None)
        for _ in range(CNAMES_MAX):
            if at not in self.names:
                exists = any(name[-len(at):] == at for name in self.names) if at else True
                return NOERROR if exists else NXDOMAIN, chain
            records = self.names[at]
            found = records.get(kind, records.get("*"))
            if found == "SERVFAIL":
                return SERVFAIL, []
            if found or "CNAME" not in records:
                return NOERROR, chain + [(at, number, data) for data in found or []]
            target = records["CNAME"][0]
            chain.append((at, TYPES["CNAME"], target))
            at, position = [], 0
            while target[position]:
                at.append(target[position + 1:position + 1 + target[position]].lower())
                position += 1 + target[position]
            at = tuple(at)
        return SERVFAIL, []


def packed(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


# An address of loopback that is this process's: nothing of another can take a port there, or answer in its place.
LOOPBACK = "127.%d.%d.%d" % (1 + (os.getpid() >> 16 & 127), os.getpid() >> 8 & 255, os.getpid() & 255)


class DnsServer:
    """Serves `zone`, which may be replaced at any time. What it does to questions is in `mode`:

    answer, slow (after `delay_s`), silent, refused, servfail, lame (an answer without authority or records).
    """

    def __init__(self, zone=None, address=LOOPBACK, port=0):
        self.zone = zone or Zone()
        self.mode = "answer"
        self.delay_s = 0.1
        self.ttl_s = 300
        self.asked = []
        self.host = address
        self.port = port
        self.start()

    def start(self):
        """Serves, also again after stop(), on the same port."""
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                reply = server.respond(self.request[0], is_udp=True)
                try:
                    if reply:
                        self.request[1].sendto(reply, self.client_address)
                except OSError:  # stopped meanwhile
                    pass

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while len(length := self.rfile.read(2)) == 2:
                    reply = server.respond(self.rfile.read(struct.unpack("!H", length)[0]), is_udp=False)
                    if not reply:
                        return
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)

        class UdpServer(socketserver.ThreadingUDPServer):  # whose port is free again at once; reused, two would share it
            daemon_threads = True

        class TcpServer(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        udp, tcp = self.bind(lambda port: UdpServer((self.host, port), Udp),
                             lambda port: TcpServer((self.host, port), Tcp))
        self.port = udp.server_address[1]
        self.servers = [udp, tcp]
        for one in self.servers:
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def bind(self, make_udp, make_tcp):
        """A port that the kernel chooses for UDP may be another's for TCP: then the next one."""
        for attempts_left in range(50, -1, -1):
            udp = make_udp(self.port)
            udp.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            try:
                return udp, make_tcp(udp.server_address[1])
            except OSError:
                udp.server_close()
                if self.port or not attempts_left:
                    raise
        return None

    def stop(self):
        for one in self.servers:
            one.shutdown()
            one.server_close()
        self.servers = []

    @property
    def resolver(self):
        return "%s@%d" % (self.host, self.port)

    def respond(self, question, is_udp):
        labels, position = [], 12
        while question[position]:
            labels.append(question[position + 1:position + 1 + question[position]])
            position += 1 + question[position]
        end = position + 5
        number, = struct.unpack("!H", question[position + 1:position + 3])
        self.asked.append(b".".join(labels).lower().decode("latin-1"))
        if self.mode == "silent":
            return None
        if self.mode == "slow":
            time.sleep(self.delay_s)
        codes = {"refused": REFUSED, "servfail": SERVFAIL, "lame": NOERROR}
        code, records = (codes[self.mode], []) if self.mode in codes else self.zone.answer(labels, number)
        flags = 0x8180 if self.mode != "lame" else 0x8100
        body = b"".join(packed(name) + struct.pack("!HHIH", kind, 1, self.ttl_s, len(data)) + data
                        for name, kind, data in records)
        authority = 0
        if not records and code in (NOERROR, NXDOMAIN) and self.mode != "lame":
            soa = b"\0\0" + struct.pack("!IIIII", 1, 3600, 600, 86400, self.ttl_s)
            body = b"\0" + struct.pack("!HHIH", TYPES["SOA"], 1, self.ttl_s, len(soa)) + soa
            authority = 1
        head = question[:2] + struct.pack("!HHHHH", flags | code, 1, len(records), authority, 0)
        reply = head + question[12:end] + body
        if is_udp and len(reply) > EDNS_SIZE:
            return question[:2] + struct.pack("!HHHHH", flags | 0x0200, 1, 0, 0, 0) + question[12:end]
        return reply
