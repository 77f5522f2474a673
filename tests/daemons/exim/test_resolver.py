#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A resolver that is dead, silent, slow, lame or refuses, and a daemon that asks before it forks: sessions go on."""
import re
import time

import exim
from dns_server import DnsServer, Zone

ZONE = {
    "pass.example": {"TXT": ["v=spf1 include:one.example -all"]},
    "one.example": {"TXT": ["v=spf1 a:host.example -all"]},
    "host.example": {"A": ["192.0.2.1"]},
    "other.example": {"TXT": ["v=spf1 -all"]},
    "daemon.example": {"TXT": ["v=spf1 -all"]},
}
DEADLINE_S = 2
# The deadline, and what a busy machine may add to it.
PATIENCE_S = DEADLINE_S + 10

# No `defer`: every result is told in a header.
LENIENT = """
acl_check_mail:
  warn  add_header = :at_start:${dlfunc{LIBSPF}{spf_received_header}}
        logwrite   = SPF ${dlfunc{LIBSPF}{spf}}: ${dlfunc{LIBSPF}{spf_reason}}
  accept
"""


class Resolver(exim.EximTest):
    def setUp(self):
        self.dns = DnsServer(Zone(ZONE))
        self.addCleanup(self.dns.stop)

    def receiver(self, acl=None, main=""):
        config = [f"resolver: {self.dns.resolver}", f"timeout: {DEADLINE_S}"]
        return self.exim(config, main="acl_smtp_mail = acl_check_mail\n" + main, acl=acl or exim.readme_acl()).start()

    def check_deferred(self, receiver):
        connection = self.smtp(receiver, helo="[192.0.2.1]")
        started = time.monotonic()
        reply = connection.command("MAIL FROM:<ann@pass.example>")
        self.assertLess(time.monotonic() - started, PATIENCE_S)
        self.assertTrue(reply[0].startswith("451-4.7.24 SPF MAIL FROM check met a temporary error: "), reply)
        self.assertEqual(connection.command("NOOP")[0][:3], "250")
        self.assertIn("rejected MAIL <ann@pass.example>: SPF temperror: ", receiver.log())

    def test_dead(self):
        self.dns.stop()
        receiver = self.receiver()
        self.check_deferred(receiver)
        self.dns.start()
        self.assertEqual(len(self.smtp(receiver).send("ann@pass.example")), 4)

    def test_silent(self):
        receiver = self.receiver()
        self.dns.mode = "silent"
        self.check_deferred(receiver)
        self.dns.mode = "answer"
        self.assertEqual(len(self.smtp(receiver).send("ann@pass.example")), 4)

    def test_refused_and_servfail(self):
        receiver = self.receiver()
        for self.dns.mode in ("refused", "servfail"):
            with self.subTest(mode=self.dns.mode):
                self.check_deferred(receiver)

    def test_lame(self):
        """No authority, no records: never a pass, and the session goes on."""
        receiver = self.receiver()
        self.dns.mode = "lame"
        connection = self.smtp(receiver)
        started = time.monotonic()
        reply = connection.command("MAIL FROM:<ann@pass.example>")
        self.assertLess(time.monotonic() - started, 2 * PATIENCE_S)
        self.assertIn(reply[0][:3], ("250", "451"))
        self.assertNotIn("SPF pass", receiver.log())
        self.assertEqual(connection.command("NOOP")[0][:3], "250")

    def test_slow(self):
        receiver = self.receiver()
        self.dns.mode, self.dns.delay_s = "slow", 0.1
        self.assertEqual(len(self.smtp(receiver).send("ann@pass.example")), 4)

    def test_too_slow(self):
        receiver = self.receiver()
        self.dns.mode, self.dns.delay_s = "slow", 5
        self.check_deferred(receiver)

    def test_dies_within_a_session(self):
        receiver = self.receiver()
        self.dns.ttl_s = 0
        connection = self.smtp(receiver)
        self.assertEqual(connection.command("MAIL FROM:<ann@pass.example>")[0][:3], "250")
        connection.command("RSET")
        self.dns.stop()
        self.assertEqual(connection.command("MAIL FROM:<ann@pass.example>")[0][:3], "250")  # asked before
        connection.command("RSET")
        self.assertEqual(connection.command("MAIL FROM:<ann@other.example>")[0][:3], "451")
        self.dns.start()
        for _ in range(30):
            if connection.command("MAIL FROM:<ann@daemon.example>")[0][:3] == "550":
                return
            time.sleep(0.5)
        self.fail("the resolver is back, and nothing comes of it")

    def test_who_does_not_ask_for_451_loses_nothing(self):
        receiver = self.receiver(LENIENT)
        self.dns.mode = "silent"
        replies = self.smtp(receiver).send("ann@pass.example")
        self.assertEqual([reply[-1][:3] for reply in replies], ["250", "250", "354", "250"])
        self.dns.mode = "refused"
        self.assertEqual(len(self.smtp(receiver).send("ann@pass.example")), 4)
        messages = receiver.delivered()
        self.assertEqual(len(messages), 2)
        for message in messages:
            self.assertRegex(message, r"(?m)^Received-SPF: temperror ")

    def test_a_daemon_that_asks_before_it_forks(self):
        """smtp_accept_max_per_host is expanded by the daemon itself, whose children inherit the plugin."""
        asks = "${dlfunc{LIBSPF}{spf}{192.0.2.7}{ann@daemon.example}{h.example}}"
        receiver = self.receiver(main="smtp_accept_max_per_host = ${dlfunc{LIBSPF}{spf_config}{FOLDER/libspf.conf}}"
                                      "${if eq{%s}{fail}{50}{1}}" % asks)
        self.dns.ttl_s = 0
        connections = [self.smtp(receiver, helo="host.example") for _ in range(4)]
        self.assertEqual([one.greeting[0][:3] for one in connections], ["220"] * 4)
        self.assertEqual(self.dns.asked.count("daemon.example"), 1)
        for number, connection in enumerate(connections):
            self.assertEqual(len(connection.send("ann@pass.example")), 4)
            self.assertEqual(self.dns.asked.count("pass.example"), number + 1)
        same = self.smtp(receiver, "192.0.2.7", helo="h.example")
        self.assertEqual(same.command("MAIL FROM:<ann@daemon.example>")[0][:3], "550")
        self.assertEqual(self.dns.asked.count("daemon.example"), 2)  # the daemon's answer is not its children's
        self.assertEqual(len(receiver.delivered()), 4)
        self.assertEqual(len(re.findall("SPF pass: ", receiver.log())), 4)


if __name__ == "__main__":
    exim.main()
