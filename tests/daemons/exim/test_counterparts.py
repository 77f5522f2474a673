#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The README's table of counterparts: each does in the same sessions what Exim's own condition or variable does."""
import re
import unittest

import exim
from dns_server import Zone

ZONE = {
    "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.7 -all"], "A": ["192.0.2.1"]},
    "fail.example": {"TXT": ["v=spf1 -all"], "A": ["198.51.100.1"], "MX": [(10, "fail.example")]},
    "soft.example": {"TXT": ["v=spf1 ~all"]},
    "neutral.example": {"TXT": ["v=spf1 ?all"], "MX": [(10, "pass.example")]},
    "none.example": {"A": ["198.51.100.1"]},
    "temp.example": {"TXT": "SERVFAIL"},
    "guess.example": {"A": ["192.0.2.1"]},
    "client.example": {"A": ["192.0.2.7"]},
    "7.2.0.192.in-addr.arpa": {"PTR": ["client.example"]},
}
RESULTS = {"pass": "pass", "fail": "fail", "soft": "softfail", "neutral": "neutral", "none": "none",
           "temp": "temperror", "guess": "none", "nowhere": "none"}


def table():
    text = (exim.ROOT / "plugins" / "exim" / "README.md").read_text().split("## Beside Exim's own SPF")[1]
    return re.findall(r"^\| (.*?) \| (.*) \|$", text, flags=re.M)


@exim.needs_mount_namespace
class Counterparts(exim.EximTest):
    def beside(self, acl):
        """An Exim whose own SPF and the plugin ask the same server."""
        dns = exim.port_53() or self.skipTest("no loopback address has port 53 free")
        self.addCleanup(dns.stop)
        dns.zone = Zone(ZONE)
        local = self.exim([f"resolver: {dns.resolver}"], main="acl_smtp_mail = acl_check_mail", acl=acl)
        local.use_system_resolver(dns)
        return local

    def test_lookup(self):
        own, ours = next((own.strip("`"), ours.strip("`")) for own, ours in table() if "lookup" in own)
        local = self.beside("acl_check_mail:\n  accept\n")
        for name, result in RESULTS.items():
            with self.subTest(result=result):
                both = [text.replace("192.0.2.1", "192.0.2.7").replace("example.com", f"{name}.example", 1)
                        for text in (own, ours)]
                own_word = "(invalid)" if result == "temperror" else result
                self.assertEqual(local.expand(*both), [own_word, result])

    def test_conditions_and_words(self):
        conditions = [(own.strip("`"), ours.strip("`")) for own, ours in table()
                      if re.match(r"`!?spf(_guess)? = ", own)]
        self.assertEqual(len(conditions), 6)
        words = dict(table())
        ours = words["`$spf_result`"].strip("`")
        domain = words["`$spf_used_domain`"].strip("`")
        # Exim's own spf_guess changes what its variables say: they come first.
        acl = "acl_check_mail:\n"
        acl += f"  warn {conditions[2][0]} : pass\n       logwrite = words $spf_result {ours} {domain}.\n"
        for number, pair in enumerate(conditions):
            for who, condition in zip(("own", "ours"), pair):
                acl += f"  warn {condition}\n       logwrite = {who} {number}.\n"
        acl += "  accept\n"
        local = self.beside(acl)
        seen = set()
        for name, result in RESULTS.items():
            with self.subTest(result=result):
                _, trace = local.session("192.0.2.7", "EHLO client.example", f"MAIL FROM:<ann@{name}.example>")
                own, ours = (set(re.findall(rf"LOG: {who} (\d+)\.", trace)) for who in ("own", "ours"))
                self.assertEqual(own, ours)
                own_word = "(invalid)" if result == "temperror" else result
                self.assertIn(f"LOG: words {own_word} {result} {name}.example.", trace)
                seen |= {(number, number in own) for number in map(str, range(len(conditions)))}
        self.assertEqual(len(seen), 2 * len(conditions), "a condition was never true, or never false")


if __name__ == "__main__":
    exim.main()
