#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Deliveries to a real Dovecot over LMTP, with and without XCLIENT: delivery.lua, notify.lua, and spf-sieve in Pigeonhole."""
import smtplib
import subprocess
import time

import dovecot

CLIENT = "192.0.2.55"
RESULTS = {"pass": "ip4:192.0.2.55 ip6:2001:db8::55 -all", "fail": "-all", "softfail": "~all", "neutral": "?all",
           "permerror": "foo:bar"}
ZONE = {f"{result}.example": {"TXT": ["v=spf1 " + terms]} for result, terms in RESULTS.items()}
ZONE.update({
    "temperror.example": {"TXT": "SERVFAIL"},
    "none.example": {"TXT": ["nothing"]},
    "client.example": {"TXT": ["v=spf1 a -all"], "A": [CLIENT]},
    "xn--bcher-kva.example": {"TXT": ["v=spf1 -all"]},
    "border.receiver.example": {"A": [CLIENT]},
})
ALL = [*RESULTS, "temperror", "none"]


def message(sender, received="", subject="test"):
    return f"{received}From: <{sender}>\nTo: <bob@pass.example>\nSubject: {subject}\n\ntext\n"


class Mail(dovecot.DovecotTest):
    """One Dovecot for all, whose settings each test chooses."""

    config = ""
    name = ""

    @classmethod
    def setUpClass(cls):
        cls.zone = cls.class_dns(ZONE)
        cls.server = cls.class_dovecot(cls.zone, dovecot.PASSWORDS + cls.config)

    def setUp(self):
        self.server.forget_log()
        self.set()

    def set(self, *lines, config="libspf.conf"):
        self.server.configure(self.name, lines, config)

    def deliver(self, sender="ann@sender.example", recipient="bob@pass.example", client=CLIENT, helo="client.example",
                text=None, **options):
        return self.server.deliver(sender, recipient, text or message(sender, **options), client, helo)

    def dead_resolver(self):
        dns = self.dns(ZONE)
        dns.mode = "silent"
        self.server.resolver(dns, "dead.conf")


class Delivery(Mail):
    config = dovecot.readme_block("mail_lua_script")
    name = "delivery"

    def test_the_recipients_own_domain(self):
        for result in ALL:
            with self.subTest(result=result):
                self.assertEqual(self.deliver(recipient=f"bob@{result}.example")[0], 250)
                self.server.waited_log(
                    f"libspf: SPF of the recipient's own domain {result}.example for the client {CLIENT}: {result} (log): ")
        self.assertRegex(self.server.log(), r"(?m)^lmtp\(bob@fail\.example\)\S* Info: libspf: SPF of ")

    def test_ipv6(self):
        self.assertEqual(self.deliver(client="2001:db8::55")[0], 250)
        self.server.waited_log("pass.example for the client 2001:db8::55: pass")
        self.assertEqual(self.deliver(client="2001:db8::56")[0], 250)
        self.server.waited_log("pass.example for the client 2001:db8::56: fail")

    def test_no_client_but_a_local_one(self):
        self.assertEqual(self.deliver(client=None)[0], 250)
        self.set("local: 192.0.2.0/24 2001:db8::/32")
        self.assertEqual(self.deliver()[0], 250)
        self.assertEqual(self.deliver(client="2001:db8::55")[0], 250)
        self.assertEqual(self.deliver(client=None)[0], 250)
        self.server.waited_log("for the client 127.0.0.1: fail")
        self.assertEqual(self.server.log().count("libspf: "), 1)

    def test_a_policy(self):
        self.set("policy: v=spf1 a:border.receiver.example -all", "pass: allow", "fail: defer")
        self.assertEqual(self.deliver()[0], 250)
        self.assertEqual(len(self.server.mails("bob")), 1)
        self.assertEqual(self.deliver(client="192.0.2.99"),
                         (451, "4.3.0 <bob@pass.example> Temporary internal error"))
        self.assertEqual(len(self.server.mails("bob")), 1)
        self.server.waited_log("SPF of delivery.conf's policy for the client 192.0.2.99: fail (defer)")
        self.assertNotIn(f"the client {CLIENT}", self.server.log())

    def test_exempt_and_domainless(self):
        self.set("exempt: fail.example", "fail: defer")
        self.assertEqual(self.deliver(recipient="bob@fail.example")[0], 250)
        self.assertEqual(self.deliver(recipient="bob")[0], 250)
        self.set("default-domain: fail.example", "fail: defer")
        self.assertEqual(self.deliver(recipient="bob")[0], 451)

    def test_what_goes_wrong(self):
        self.set("fail: reject")
        self.assertEqual(self.deliver(recipient="bob@fail.example")[0], 250)
        self.server.waited_log('delivery.conf:2: fail: "reject" is not allowed; allowed: allow, log, warn, defer; the delivery')
        self.set("fail: reject", "on-error: defer")
        self.assertEqual(self.deliver(recipient="bob@fail.example")[0], 451)
        (self.server.folder / "broken.conf").write_text("resolver: nobody\n")
        self.set(config="broken.conf")
        self.assertEqual(self.deliver()[0], 250)
        self.server.waited_log('"nobody"')
        self.dead_resolver()
        self.set("timeout: 0.5", "temperror: defer", config="dead.conf")
        started = time.monotonic()
        self.assertEqual(self.deliver()[0], 451)
        self.assertLess(time.monotonic() - started, 0.5 + 10)

    def test_imap_is_not_meant(self):
        self.set("fail: defer")
        self.assertEqual(self.server.imap_login("bob@fail.example"), "OK")


class Notify(Mail):
    config = dovecot.readme_block("push_notification_driver")
    name = "notify"

    def test_all_results(self):
        for result in ALL:
            with self.subTest(result=result):
                self.assertEqual(self.deliver(f"ann@{result}.example")[0], 250)
                log = self.server.waited_log(f"SPF of {result}.example in From: {result} for its client {CLIENT} (")
        self.assertRegex(log, r"(?m)^lmtp\(bob@pass\.example\)\S* Info: libspf: uid \d+ in INBOX: SPF of pass\.example in From: "
                              r"pass for its client 192\.0\.2\.55 \(.*\); fail for strangers; "
                              r"record: v=spf1 ip4:192\.0\.2\.55 ip6:2001:db8::55 -all$")
        self.assertIn("none for strangers; record: none", log)

    def test_no_client(self):
        self.assertEqual(self.deliver("ann@softfail.example", client=None)[0], 250)
        self.server.waited_log("SPF of softfail.example in From: it came from no client that is known; softfail for strangers")
        self.set("no-client: allow")
        self.assertEqual(self.deliver("ann@neutral.example", client=None)[0], 250)
        self.assertEqual(self.deliver("ann@fail.example")[0], 250)
        self.server.waited_log("SPF of fail.example")
        self.assertNotIn("neutral.example", self.server.log())

    def test_several_messages_and_recipients(self):
        with smtplib.LMTP("127.0.0.1", self.server.lmtp) as lmtp:
            for sender in ("ann@pass.example", "ann@fail.example"):
                lmtp.ehlo()
                lmtp.mail(sender)
                for recipient in ("bob@pass.example", "eve@pass.example"):
                    lmtp.rcpt(recipient)
                self.assertEqual((lmtp.data(message(sender))[0], lmtp.getreply()[0]), (250, 250))
        for domain in ("pass", "fail"):
            self.server.waited_log(f"SPF of {domain}.example in From", 2)

    def test_froms_that_say_nothing(self):
        for line in ("From: nobody\n", "", "From: undisclosed:;\n", "From: <@>\n", "From: a@b@c@\n", "From: \"\\r\" <>\n",
                     "From: =?utf-8?q?a=0D=0Ab?= <ann@x\x00y.example>\n"):
            self.assertEqual(self.deliver(text=line + "Subject: x\n\ntext\n")[0], 250, line)
        self.assertEqual(self.deliver("ann@fail.example")[0], 250)
        self.server.waited_log("SPF of fail.example")

    def test_actions_and_exempt(self):
        self.set("pass: allow", "fail: warn", "exempt: softfail.example ann@neutral.example")
        for result in ("pass", "softfail", "neutral", "fail"):
            self.assertEqual(self.deliver(f"ann@{result}.example")[0], 250)
        self.assertRegex(self.server.waited_log("SPF of fail.example"), r"Warning: libspf: uid \d+ in INBOX: SPF of fail\.example")
        self.assertEqual(self.server.log().count("libspf: "), 1)

    def test_what_goes_wrong(self):
        self.set("stranger: nobody")
        self.assertEqual(self.deliver("ann@fail.example")[0], 250)
        self.server.waited_log('notify.conf:2: stranger: "nobody" is not allowed; allowed: IPv4 and IPv6 addresses')
        self.dead_resolver()
        self.set("timeout: 0.5", config="dead.conf")
        count = len(self.server.mails("bob"))
        self.assertEqual(self.deliver("ann@fail.example")[0], 250)
        self.server.waited_log("SPF of fail.example in From: temperror for its client")
        self.assertEqual(len(self.server.mails("bob")), count + 1)


class Sieve(Mail):
    config = dovecot.readme_block("sieve_before") + "plugin {\n  sieve_extensions = +editheader\n}\n"
    name = "sieve"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.script(dovecot.readme_block("spf-sieve", "sieve"))

    @classmethod
    def script(cls, text):
        """The script before all others from now on, compiled as an administrator would do it."""
        file = cls.server.folder / "sieve" / "spf.sieve"
        file.write_text(text)
        subprocess.run(["sievec", "-c", cls.server.file, file], check=True, stdin=subprocess.DEVNULL)

    def delivered(self, **options):
        """The one message that was delivered, and the folder that it is in."""
        before = {name for folder in ("", ".Junk") for name in self.server.mails("bob", folder)}
        self.assertEqual(self.deliver(**options)[0], 250)
        fresh = [(folder, text) for folder in ("", ".Junk") for name, text in self.server.mails("bob", folder).items()
                 if name not in before]
        self.assertEqual(len(fresh), 1)
        return fresh[0]

    def test_all_results(self):
        for result in ALL:
            with self.subTest(result=result):
                folder, text = self.delivered(sender=f"ann@{result}.example")
                self.assertEqual(folder, ".Junk" if "fail" in result else "")
                self.assertRegex(text, rf"^Received-SPF: {result} \(")
                self.assertRegex(text, rf"(?m)^Authentication-Results: mail\.receiver\.example;\s+spf={result}\b")
                self.assertIn(f"client-ip={CLIENT};", text)
                self.assertIn("helo=client.example;", text)
                self.assertTrue(text.endswith("\n\ntext\n"), text)

    def test_the_null_sender(self):
        folder, text = self.delivered(sender="")
        self.assertEqual(folder, "")
        self.assertRegex(text, r"^Received-SPF: pass \(")
        field = f"Received: from client.example ([{CLIENT}])\n\tby mx.receiver.example with ESMTP id 1; Sun\n"
        self.assertIn("helo=client.example;", self.delivered(sender="", helo=None, received=field)[1])

    def test_the_client_behind_trusted_hosts(self):
        """An MTA that sends no XCLIENT: what it wrote is believed, and not what strangers wrote before it."""
        forged = "Received: from good.example (good.example [192.0.2.55])\n\tby mx.fail.example with ESMTP id 1; Sun\n"
        border = "Received: from evil.example (unknown [203.0.113.9])\n\tby mx.receiver.example (Postfix) with ESMTPS id 2\n"
        self.assertIn("client-ip=203.0.113.9;", self.delivered(
            sender="ann@pass.example", client=None, received=border + forged)[1])
        self.assertIn("client-ip=203.0.113.9;", self.delivered(
            sender="ann@pass.example", client="203.0.113.9", received=forged)[1])
        self.set("trusted: 127.0.0.0/8 203.0.113.0/28")
        self.assertIn("client-ip=192.0.2.55;", self.delivered(
            sender="ann@pass.example", client="203.0.113.9", received=forged)[1])

    def test_what_is_not_checked(self):
        for received in ("Received: by mx.receiver.example (Postfix, from userid 0)\n\tid 1; Sun\n",
                         "Received: from laptop.example (laptop.example [192.0.2.9])\n\tby mx with ESMTPSA id 1; Sun\n", ""):
            folder, text = self.delivered(sender="ann@fail.example", client=None, received=received)
            self.assertEqual(folder, "")
            self.assertTrue(text.startswith("Return-Path: <ann@fail.example>\n"), text)

    def test_words(self):
        self.script('require ["fileinto", "mailbox", "variables", "editheader", "vnd.dovecot.execute"];\n'
                    'execute :pipe :output "detail" "spf-sieve" ["detail"];\n'
                    'addheader "X-SPF" "${detail}";\n'
                    'execute :pipe :output "authres" "spf-sieve" ["authres"];\n'
                    'addheader "Authentication-Results" "${authres}";\n'
                    'if execute :pipe "spf-sieve" ["is", "fail", "permerror"] { fileinto :create "Junk"; stop; }\n')
        self.addCleanup(self.script, dovecot.readme_block("spf-sieve", "sieve"))
        for result in ("pass", "fail", "permerror"):
            folder, text = self.delivered(sender=f"ann@{result}.example")
            self.assertEqual(folder, "" if result == "pass" else ".Junk")
            self.assertRegex(text, rf"(?mi)^X-SPF: {result}: ")
            self.assertRegex(text, rf"(?m)^Authentication-Results: mail\.receiver\.example; spf={result} ")

    def test_a_large_message(self):
        body = "".join(f"line {number} {'x' * 60}\n" for number in range(30000))
        folder, text = self.delivered(sender="ann@pass.example", text=message("ann@pass.example")[:-5] + body)
        self.assertEqual(folder, "")
        self.assertRegex(text, r"^Received-SPF: pass \(")
        self.assertTrue(text.endswith("\n\n" + body))

    def test_what_goes_wrong(self):
        """No mail is lost, and the log says why."""
        self.set("timeout: forever")
        self.assertTrue(self.delivered(sender="ann@fail.example")[1].startswith("Return-Path: "))
        self.server.waited_log('sieve.conf:2: timeout: "forever" is not allowed; allowed: a number from 0.1 to 60')
        self.dead_resolver()
        self.set("timeout: 0.5", config="dead.conf")
        self.assertRegex(self.delivered(sender="ann@fail.example")[1], r"^Received-SPF: temperror \(")
        module = self.server.folder / "lua" / "libspf.so"
        module.rename(self.server.folder / "libspf.so")
        try:
            self.assertTrue(self.delivered(sender="ann@fail.example")[1].startswith("Return-Path: "))
            self.server.waited_log("module 'libspf' not found")
        finally:
            (self.server.folder / "libspf.so").rename(module)


del Mail  # has no tests of its own

if __name__ == "__main__":
    dovecot.main("lib01_mail_lua_plugin.so", "lib22_push_notification_lua_plugin.so", "sieve/lib90_sieve_extprograms_plugin.so")
