#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The published suite for RFC 7208 through Exim: the library's results; those of Exim's own SPF are counted beside."""
import collections
import json
import os
import re
import subprocess
import unittest

import exim
from exim import call
from dns_server import DnsServer
from suite import CASES, scenarios

# Asks Exim's own SPF, whose words the reply has.
NATIVE = """
acl_check_mail:
  deny  spf     = pass:fail:softfail:none:neutral:permerror:temperror:invalid
        message = native=$spf_result
  deny  message = native=nothing
"""


def library(scenario, resolver):
    """What `spf check` says of the scenario's cases."""
    results = []
    for _, ip, sender, helo, _ in scenario.cases:
        done = subprocess.run([os.environ["SPF"], "check", "--ip", ip, "--sender", sender, "--helo", helo, "--resolver",
                               resolver, "--json"], capture_output=True, timeout=exim.STEP_S, check=False)
        verdict = json.loads(done.stdout)
        results.append((verdict["result"], verdict["reason"], verdict["explanation"] or ""))
    return results


class Suite(exim.EximTest):
    def setUp(self):
        self.scenarios = scenarios()
        self.assertEqual(sum(len(scenario.cases) for scenario in self.scenarios), CASES)

    def test_results_are_those_of_the_library(self):
        """In one process of Exim, which is told another configuration file for each scenario."""
        local = self.exim([])
        expressions, wanted = [], []
        for number, scenario in enumerate(self.scenarios):
            dns = DnsServer(scenario.zone)
            self.addCleanup(dns.stop)
            config = local.folder / f"{number}.conf"
            config.write_text(f"resolver: {dns.resolver}\n")
            for case, expected in zip(scenario.cases, library(scenario, dns.resolver)):
                expressions += [call("spf_config", str(config)), *(call(name, *case[1:4]) for name in
                                                                   ("spf", "spf_reason", "spf_explanation"))]
                wanted.append((case, expected))
        answers = local.expand(*expressions)
        right = 0
        for at, (case, expected) in enumerate(wanted):
            with self.subTest(case=case[0]):
                self.assertEqual(answers[4 * at], "")
                self.assertEqual(tuple(answers[4 * at + 1:4 * at + 4]), expected)
                self.assertIn(expected[0], case[4])
                right += 1
        print(f"libspf in Exim: {right} of {CASES} results")

    @exim.needs_mount_namespace
    def test_exim_s_own_spf_beside(self):
        """Counted, not judged. libspf2 asks port 53 of what /etc/resolv.conf names."""
        local = self.exim([], main="acl_smtp_mail = acl_check_mail\nallow_domain_literals",
                          acl=NATIVE)
        dns = exim.port_53() or self.skipTest("no loopback address has port 53 free")
        self.addCleanup(dns.stop)
        local.use_system_resolver(dns)
        right, words = 0, collections.Counter()
        for scenario in self.scenarios:
            dns.zone = scenario.zone
            for _, ip, sender, helo, results in scenario.cases:
                replies, _ = local.session(ip, f"EHLO {helo}", f"MAIL FROM:<{sender}>")
                found = re.search(r"native=\(?(\w*)", replies)
                word = found.group(1) if found else "(not taken)"
                words[word] += 1
                right += word in results
        print(f"Exim's own SPF: {right} of {CASES} results; its words: {dict(words)}")
        self.assertGreater(right, 50, "it was not asked at all")


if __name__ == "__main__":
    exim.main()
