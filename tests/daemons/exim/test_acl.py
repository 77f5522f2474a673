#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The ACL of the README in a real Exim: results, reply codes, headers and log."""
import re
import subprocess
import time

import exim
from dns_server import DnsServer, Zone

ZONE = {
    "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.1 ip6:2001:db8:25::/48 -all"]},
    "fail.example": {"TXT": ["v=spf1 exp=why.fail.example -all"]},
    "why.fail.example": {"TXT": ["%{i} is none of ours; see https://fail.example/%{l}"]},
    "plain.example": {"TXT": ["v=spf1 -all"]},
    "soft.example": {"TXT": ["v=spf1 ~all"]},
    "neutral.example": {"TXT": ["v=spf1 ?all"]},
    "none.example": {"TXT": ["no policy"]},
    "broken.example": {"TXT": ["v=spf1 ip4:192.0.2.0/33 -all"]},
    "temp.example": {"TXT": "SERVFAIL"},
    "host.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "client.example": {"A": ["192.0.2.1"]},
}

# Sender's domain: the result, and how the reply to MAIL starts and ends.
REFUSED = {
    "fail.example": ("fail", "550-5.7.23 SPF MAIL FROM check failed: ",
                     "550 5.7.23 192.0.2.1 is none of ours; see https://fail.example/ann"),
    "plain.example": ("fail", "550-5.7.23 SPF MAIL FROM check failed: ", " says fail to every client"),
    "temp.example": ("temperror", "451-4.7.24 SPF MAIL FROM check met a temporary error: ",
                     "451 4.7.24 records of temp.example"),
    "soft.example": ("softfail", "451 4.7.1 SPF softfail: please try again in five minutes", "minutes"),
}
ACCEPTED = {"pass.example": "pass", "neutral.example": "neutral", "none.example": "none", "nowhere.example": "none",
            "broken.example": "permerror"}


def unfolded(message):
    return re.sub(r"\n[ \t]+", " ", message)


class Acl(exim.EximTest):
    def setUp(self):
        self.dns = DnsServer(Zone(ZONE))
        self.addCleanup(self.dns.stop)

    def receiver(self, acl=None):
        return self.exim([f"resolver: {self.dns.resolver}"], main="acl_smtp_mail = acl_check_mail",
                         acl=acl or exim.readme_acl()).start()

    def test_what_is_refused(self):
        receiver = self.receiver()
        connection = self.smtp(receiver)
        for domain, (result, first, last) in REFUSED.items():
            with self.subTest(domain=domain):
                reply = connection.command(f"MAIL FROM:<ann@{domain}>")
                self.assertTrue(reply[0].startswith(first), reply)
                self.assertTrue(reply[-1].endswith(last), reply)
                self.assertEqual(len({line[4:].split()[0] for line in reply}), 1, reply)
                self.assertRegex(receiver.log(), rf"rejected MAIL <ann@{domain}>: SPF {result}: \S")
        self.assertTrue(connection.is_quiet())

    def test_what_is_accepted_and_its_header(self):
        receiver = self.receiver()
        for domain, result in ACCEPTED.items():
            with self.subTest(domain=domain):
                replies = self.smtp(receiver).send(f"ann@{domain}")
                self.assertEqual([reply[-1][:3] for reply in replies], ["250", "250", "354", "250"])
                message = unfolded(receiver.delivered()[0])
                header = re.findall(r"^Received-SPF: .*", message, flags=re.M)
                self.assertEqual(len(header), 1, message)
                self.assertTrue(header[0].startswith(f"Received-SPF: {result} ({exim.HOSTNAME}: "), header)
                for pair in ("client-ip=192.0.2.1;", "helo=client.example;", f"receiver={exim.HOSTNAME};",
                             "identity=mailfrom;"):
                    self.assertIn(pair, header[0])
                self.assertIn(f'envelope-from="ann@{domain}";', header[0])
                self.assertLess(message.index("Received-SPF:"), message.index("Received: "))
                self.assertRegex(receiver.log(), rf"SPF {result}: \S")

    def test_clients_over_ipv6(self):
        receiver = self.receiver()
        self.assertEqual(len(self.smtp(receiver, "2001:db8:25::7").send("ann@pass.example")), 4)
        self.assertIn('client-ip="2001:db8:25::7";', unfolded(receiver.delivered()[0]))
        self.assertEqual(self.smtp(receiver, "2001:db8:26::7").command("MAIL FROM:<ann@pass.example>")[-1][:10],
                         "550 5.7.23")

    def test_who_is_not_asked_about(self):
        receiver = self.receiver()
        self.assertEqual(len(self.smtp(receiver, "192.0.2.250").send("ann@fail.example")), 4)
        connection = self.smtp(receiver, "198.51.100.1")
        self.assertEqual(connection.command("AUTH PLAIN AGFubgBzZWNyZXQ=")[-1][:3], "235")
        self.assertEqual(len(connection.send("ann@fail.example")), 4)
        for message in receiver.delivered():
            self.assertNotIn("Received-SPF", message)
        self.assertEqual(self.dns.asked, [])

    def test_local_submission(self):
        """Neither a message on standard input nor local SMTP has a client; an ACL without exceptions lets them pass."""
        main = "acl_smtp_mail = acl_check\nacl_not_smtp = acl_check"
        local = self.exim([f"resolver: {self.dns.resolver}"], main=main, acl="""
acl_check:
  deny  condition  = ${if !eq{${dlfunc{LIBSPF}{spf}}}{none}}
  warn  add_header = :at_start:${dlfunc{LIBSPF}{spf_received_header}}
  accept
""")
        local.run("-f", "ann@fail.example", "rcpt@receiver.example", input=b"Subject: x\n\ntext\n", check=True)
        smtp = (b"EHLO h\r\nMAIL FROM:<ann@fail.example>\r\nRCPT TO:<rcpt@receiver.example>\r\nDATA\r\n\r\ntext\r\n"
                b".\r\nQUIT\r\n")
        local.run("-bs", input=smtp, check=True, stdout=subprocess.DEVNULL)
        messages = local.delivered()
        self.assertEqual(len(messages), 2)
        for message in messages:
            self.assertIn("Received-SPF: none (the message did not come over the network", unfolded(message))
            self.assertNotIn("X-ACL-Warn", message)

    def test_helo_identity_and_null_sender(self):
        receiver = self.receiver()
        for helo, sender, reply in (("host.example", "ann@pass.example", "550 5.7.23 SPF HELO check failed"),
                                    ("host.example", "", "550 5.7.23 SPF HELO check failed"),
                                    ("temp.example", "", "451 4.7.24 SPF MAIL FROM check met"),
                                    ("client.example", "ann@host.example", "550 5.7.23 SPF MAIL FROM check failed")):
            with self.subTest(helo=helo, sender=sender):
                connection = self.smtp(receiver, "192.0.2.9", helo=helo)
                self.assertIn(reply, connection.command(f"MAIL FROM:<{sender}>")[0].replace("-", " ", 1))
        self.assertEqual(len(self.smtp(receiver, "192.0.2.1", helo="host.example").send("")), 4)
        header = unfolded(receiver.delivered()[0]).split("\n")
        self.assertTrue(any(line.startswith("Received-SPF: pass") and "postmaster@host.example" in line
                            for line in header), header)

    def test_trace_of_a_session(self):
        receiver = self.exim([f"resolver: {self.dns.resolver}"], main="acl_smtp_mail = acl_check_mail",
                             acl=exim.readme_acl())
        replies, trace = receiver.session("192.0.2.9", "EHLO host.example", "MAIL FROM:<>")
        self.assertIn("\n550-5.7.23 SPF HELO", replies.replace("550 5.7.23", "550-5.7.23"))
        self.assertRegex(trace, r"LOG: .*rejected MAIL <>: SPF HELO fail: ")
        replies, trace = receiver.session("192.0.2.1", "HELO host.example", "MAIL FROM:<>")
        self.assertRegex(replies, r"\n250 OK\n")
        self.assertRegex(trace, r"LOG: SPF pass: ")
        replies, trace = receiver.session("192.0.2.1", "MAIL FROM:<ann@pass.example>")  # no HELO at all
        self.assertRegex(replies, r"\n250 OK\n")
        self.assertRegex(trace, r"LOG: SPF pass: ")

    def test_a_broken_configuration_is_told_in_the_log(self):
        receiver = self.receiver()
        receiver.configure(["resolver: 127.0.0.1", "timeout: soon"])
        self.assertEqual(self.smtp(receiver, helo=None).greeting[0][:3], "451")
        self.assertRegex(receiver.log(), r'spf_config: .*libspf\.conf:2: .*timeout.*"soon"')
        receiver.configure([f"resolver: {self.dns.resolver}"])
        self.assertEqual(len(self.smtp(receiver).send("ann@pass.example")), 4)

    def test_international_senders(self):
        receiver = self.receiver()
        self.dns.zone.add("xn--bcher-kva.example", {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]})
        mail = "MAIL FROM:<anné@bücher.example> SMTPUTF8".encode()
        self.assertEqual(self.smtp(receiver).command(mail)[0][:3], "250")
        self.assertEqual(self.smtp(receiver, "192.0.2.9").command(mail)[-1][:10], "550 5.7.23")

    def test_one_connection_asks_once(self):
        receiver = self.receiver()
        connection = self.smtp(receiver, helo="host.example")
        for _ in range(5):
            self.assertEqual(connection.command("MAIL FROM:<ann@pass.example>")[0][:3], "250")
            connection.command("RSET")
        self.assertEqual(sorted(self.dns.asked), ["host.example", "pass.example"])

    def test_greylisting_lets_pass_who_comes_again(self):
        acl = exim.readme_acl().replace("!seen         = -5m", "!seen         = -1s")
        self.assertNotEqual(acl, exim.readme_acl())
        receiver = self.receiver(acl)
        connection = self.smtp(receiver)
        self.assertEqual(connection.command("MAIL FROM:<ann@soft.example>")[0][:3], "451")
        for _ in range(20):
            time.sleep(0.5)
            if connection.command("MAIL FROM:<ann@soft.example>")[0][:3] == "250":
                return
        self.fail("never accepted")


if __name__ == "__main__":
    exim.main()
