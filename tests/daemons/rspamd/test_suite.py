#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The published suite for RFC 7208 through rspamd: the rule's results; those of the stock module are counted beside."""
import collections
import unittest

import rspamd
from suite import CASES, scenarios

WORDS = {"ALLOW": "pass", "FAIL": "fail", "SOFTFAIL": "softfail", "NEUTRAL": "neutral", "NA": "none",
         "DNSFAIL": "temperror", "PERMFAIL": "permerror"}
OURS, STOCK = "L_SPF_", "R_SPF_"
# Both rules run side by side, in one scan.
SIDE_BY_SIDE = "enabled = true; helo = false; symbols { check = \"LIBSPF_CHECK\"; plusall = \"LIBSPF_ALL\"; %s }" % " ".join(
    f'{word.lower()} = "{OURS}{word}";' for word in WORDS)


def word(symbols, prefix):
    """The result that a rule's symbol means; nothing if there is not just one."""
    found = [name for name in symbols if name.startswith(prefix)]
    return WORDS.get(found[0][len(prefix):]) if len(found) == 1 else None


class Suite(rspamd.RspamdTest):
    def test_both_modules(self):
        """Each scenario has an rspamd of its own: names mean something else in each, and answers are kept."""
        cases, right, stock = 0, 0, 0
        wrong = collections.Counter()
        for scenario in scenarios():
            dns = self.dns({})
            dns.zone = scenario.zone
            both = self.rspamd(dns, SIDE_BY_SIDE, stock="true")
            both.start()
            for name, ip, sender, helo, results in scenario.cases:
                symbols = both.symbols(sender, ip, helo)
                cases += 1
                with self.subTest(case=name, results=results, symbols=symbols):
                    self.assertIn(word(symbols, OURS), results)
                    right += 1
                stock_word = word(symbols, STOCK)
                stock += stock_word in results
                if stock_word not in results:
                    wrong["/".join(results), stock_word] += 1
            both.stop()
        self.assertEqual(cases, CASES)
        print(f"libspf in rspamd: {right} of {cases} results")
        print(f"rspamd's own module: {stock} of {cases} results; for the right word it says: {dict(wrong)}")
        self.assertGreater(stock, 50, "it was not asked at all")


if __name__ == "__main__":
    rspamd.main()
