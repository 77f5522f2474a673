#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The README's table of what the stock module gets wrong, measured row by row in an rspamd that has both."""
import re
import time
import unittest

import rspamd
from test_suite import OURS, SIDE_BY_SIDE, STOCK

# What the records of the table name.
ZONE = {
    "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "all.example": {"TXT": ["v=spf1 +all"]},
    "denies.example": {"TXT": ["v=spf1 -ip4:192.0.2.1 +all"]},
    "none.example": {"A": ["198.51.100.1"]},
    "temp.example": {"*": "SERVFAIL"},
    "mx11.example": {"MX": [(10, f"{letter}.example") for letter in "abcdefghijk"]},
    "helo.example": {"TXT": ["v=spf1 -all"]},
    **{f"{letter}.example": {"A": ["198.51.100.1"]} for letter in "abcdefghijk"},
}
ROW = re.compile(r"^\| (`v=spf1.*?) \| `R_SPF_(\w+)` \| `R_SPF_(\w+)` \| .* \|$", flags=re.M)


class Stock(rspamd.RspamdTest):
    def test_rows_of_the_readme(self):
        rows = ROW.findall((rspamd.PLUGIN / "README.md").read_text())
        self.assertGreater(len(rows), 15)
        zone = dict(ZONE)
        for number, (records, _, _) in enumerate(rows):
            zone[f"row{number}.example"] = {"TXT": re.findall(r"`(v=[^`]*)`", records)}
        both = self.rspamd(self.dns(zone), SIDE_BY_SIDE, stock="true").start()
        for number, (records, stock, here) in enumerate(rows):
            with self.subTest(records=records):
                self.assertNotEqual(stock, here)
                symbols = both.symbols(f"ann@row{number}.example")
                self.assertEqual({name for name in symbols if name.startswith((STOCK, OURS))},
                                 {STOCK + stock, OURS + here})

    def test_relays(self):
        """The stock module believes Received fields whoever wrote them, and only the last of several relays."""
        relays = 'external_relay = ["198.51.100.1", "198.51.100.2"];'
        both = self.rspamd(self.dns(ZONE), SIDE_BY_SIDE + relays, stock="true", stock_settings=relays).start()
        field = "Received: from %s (%s [%s]) by %s with ESMTP id 1; Mon, 1 Jan 2024 00:00:00 +0000\r\n"

        def message(*hosts):
            return "".join(field % (host, host, ip, "mx.example") for host, ip in hosts).encode() + rspamd.MESSAGE
        client, relay, other = ("c.example", "192.0.2.1"), ("r.example", "198.51.100.1"), ("o.example", "198.51.100.2")
        stranger = ("x.example", "203.0.113.9")
        forged = both.symbols("ann@pass.example", stranger[1], message=message(stranger, relay, client))
        self.assertLessEqual({STOCK + "ALLOW", OURS + "FAIL"}, set(forged))
        chain = both.symbols("ann@pass.example", relay[1], message=message(relay, other, client))
        self.assertLessEqual({STOCK + "FAIL", OURS + "ALLOW"}, set(chain))

    def test_a_record_that_changes(self):
        dns = self.dns(ZONE, ttl_s=1)
        both = self.rspamd(dns, SIDE_BY_SIDE, stock="true").start()
        before = both.symbols("ann@pass.example")
        dns.zone.add("pass.example", {"TXT": ["v=spf1 -all"]})
        time.sleep(2.1)
        after = both.symbols("ann@pass.example")
        self.assertLessEqual({STOCK + "ALLOW", OURS + "ALLOW"}, set(before))
        self.assertLessEqual({STOCK + "ALLOW", OURS + "FAIL"}, set(after))


if __name__ == "__main__":
    rspamd.main()
