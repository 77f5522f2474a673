#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The rule in the processes of rspamd that scan: several workers, those of a new configuration, and the milter."""
import os
import signal
import socket
import struct
import threading
import time
import unittest

import rspamd

ZONE = {
    "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "helo.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "quoted.example": {"TXT": ["v=spf1 exists:%{l}.local.example -all"]},
    '"x y".local.example': {"A": ["127.0.0.2"]},
}


class Milter:
    """A milter's client: what Postfix says to rspamd about one message."""

    def __init__(self, port):
        self.socket = socket.create_connection((rspamd.LOOPBACK, port), timeout=rspamd.STEP_S)
        self.send(b"O", struct.pack("!III", 6, 0x1FF, 0x1FFFFF))  # rspamd wants to answer the last command only
        self.read()

    def send(self, code, data=b""):
        self.socket.sendall(struct.pack("!I", len(data) + 1) + code + data)

    def read(self):
        length, = struct.unpack("!I", self.exactly(4))
        packet = self.exactly(length)
        return packet[:1], packet[1:]

    def exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise AssertionError("the milter has closed the connection")
            data += part
        return data

    def message(self, ip, helo, sender):
        """The fields that are added, and the verdict."""
        self.send(b"C", b"client.example\0" + b"4" + struct.pack("!H", 25) + ip.encode() + b"\0")
        self.send(b"H", helo.encode() + b"\0")
        self.send(b"M", f"<{sender}>".encode() + b"\0")
        self.send(b"R", b"<rcpt@receiver.example>\0")
        self.send(b"L", b"Subject\0test\0")
        self.send(b"N")
        self.send(b"B", b"text\r\n")
        self.send(b"E")
        fields = {}
        while True:
            code, data = self.read()
            if code in b"hi":
                name, value = (data[4:] if code == b"i" else data).split(b"\0")[:2]
                fields[name.decode()] = value.decode()
            elif code in b"acrty":
                return fields, code

    def close(self):
        self.socket.close()


class Workers(rspamd.RspamdTest):
    def test_several_workers(self):
        one = self.rspamd(self.dns(ZONE), workers=3).start()
        for answer in one.scan_at_once([{"IP": "192.0.2.1", "From": "ann@pass.example", "Helo": "helo.example"}] * 60):
            self.assertLessEqual({"R_SPF_ALLOW", "R_SPF_HELO_ALLOW"}, set(answer["symbols"]))

    def test_reload(self):
        """New workers have the new settings; old ones end without a complaint."""
        one = self.rspamd(self.dns(ZONE)).start()
        self.assertIn("R_SPF_ALLOW", one.symbols("ann@pass.example"))
        for number in range(3):
            worker = one.worker()
            (one.folder / "local.d" / "libspf.conf").write_text(
                'enabled = true; symbols { allow = "R_SPF_ALLOW%d"; }' % number)
            os.kill(one.process.pid, signal.SIGHUP)
            end = time.monotonic() + rspamd.STEP_S
            while one.worker() == worker and time.monotonic() < end:
                time.sleep(0.05)
            while f"R_SPF_ALLOW{number}" not in one.symbols("ann@pass.example") and time.monotonic() < end:
                time.sleep(0.05)
            self.assertLess(time.monotonic(), end)

    def test_controller(self):
        """It scans too, for its web page and for rspamc without a host."""
        port = rspamd.free_port()
        one = self.rspamd(self.dns(ZONE), more='worker "controller" { bind_socket = "%s:%d"; secure_ip = ["127.0.0.0/8"]; '
                                               'count = 1; }' % (rspamd.LOOPBACK, port)).start()
        one.port = port
        self.assertLessEqual({"R_SPF_ALLOW", "R_SPF_HELO_ALLOW"}, set(one.symbols("ann@pass.example")))

    def test_scans_in_mid_reload(self):
        """An old worker answers what it has begun."""
        dns = self.dns(ZONE, mode="slow", delay_s=0.3)
        one = self.rspamd(dns, workers=2).start()
        questions = [{"IP": "192.0.2.1", "From": "ann@pass.example", "Helo": "helo.example"}] * 20
        reload = threading.Timer(0.15, os.kill, (one.process.pid, signal.SIGHUP))
        reload.start()
        for answer in one.scan_at_once(questions):
            self.assertLessEqual({"R_SPF_ALLOW", "R_SPF_HELO_ALLOW"}, set(answer["symbols"]))
        reload.join()

    def proxy(self, dns, settings, upstream=""):
        """The port of a proxy that speaks milter and scans by itself, and adds the fields."""
        port = rspamd.free_port()
        more = ('worker "rspamd_proxy" { bind_socket = "%s:%d"; milter = yes; count = 1; %s '
                'upstream "local" { default = yes; self_scan = yes; %s } }\n'
                'milter_headers { use = ["authentication-results"]; skip_local = false; }' % (
                    rspamd.LOOPBACK, port, settings, upstream))
        self.rspamd(dns, "enabled = true; received_spf = true;", more=more, plugins=["milter_headers.lua"]).start()
        return port

    def test_milter(self):
        port = self.proxy(self.dns(ZONE), "timeout = 60s;")
        for ip, helo, sender, result in (("192.0.2.1", "helo.example", "ann@pass.example", "pass"),
                                         ("198.51.100.1", "helo.example", "ann@pass.example", "fail"),
                                         ("192.0.2.1", "helo.example", "", "pass"),
                                         ("192.0.2.1", "helo.example", '"x y"@quoted.example', "pass")):
            with self.subTest(ip=ip, sender=sender):
                client = Milter(port)
                self.addCleanup(client.close)
                fields, verdict = client.message(ip, helo, sender)
                self.assertEqual(verdict, b"a")
                self.assertRegex(fields["Received-SPF"], rf"(?s)^{result} \(.*client-ip={ip};.*helo={helo};")
                self.assertIn(f"spf={result} (", fields["Authentication-Results"])

    def test_time_of_a_proxy(self):
        """It gives its tasks less time than a worker does: the rule answers in that."""
        dns = self.dns(ZONE, mode="silent")
        for settings, upstream in (("timeout = 2s;", ""), ("timeout = 60s;", "timeout = 2s;")):
            with self.subTest(settings=settings, upstream=upstream):
                client = Milter(self.proxy(dns, settings, upstream))
                self.addCleanup(client.close)
                fields, _ = client.message("192.0.2.1", "helo.example", "ann@pass.example")
                self.assertIn("spf=temperror (", fields["Authentication-Results"])


if __name__ == "__main__":
    rspamd.main()
