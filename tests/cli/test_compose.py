#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spf compose` as its users meet it: formats, what is refused, and that lint has nothing against what it prints."""
import itertools
import json
import os
import subprocess
import unittest

SPF = os.environ["SPF"]


def run(*arguments):
    return subprocess.run([SPF, "compose", *arguments], capture_output=True, text=True, timeout=60, check=False)


class Compose(unittest.TestCase):
    def record(self, *arguments):
        done = run("--format", "json", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)["records"][0]["text"]

    def test_text(self):
        done = run("--domain", "Example.com", "mx", "192.0.2.1", "include:b.example", "--all", "-all")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(),
                         ["example.com: v=spf1 ip4:192.0.2.1 mx include:b.example -all",
                          "lookups: 2 of 10, not counting those of included records",
                          "octets of an answer for example.com: 88", "",
                          'example.com. IN TXT "v=spf1 ip4:192.0.2.1 mx include:b.example -all"'])

    def test_zone(self):
        networks = ["192.0.%d.0/24" % i for i in range(0, 40, 2)]
        done = run("--domain", "example.com", "--format", "zone", "--ttl", "3600", *networks)
        self.assertEqual(done.returncode, 0)
        line = done.stdout.rstrip("\n")
        self.assertTrue(line.startswith('example.com. 3600 IN TXT "v=spf1 ip4:192.0.0.0/24 '), line)
        strings = line.split('"')[1::2]
        self.assertEqual([len(string) for string in strings[:-1]], [255])
        self.assertEqual("".join(strings), "v=spf1 " + " ".join("ip4:" + network for network in networks) + " ~all")

    def test_json(self):
        done = run("--format", "json", "v=spf1 a ~all", "v=spf1 mx -all", "--domain", "example.com")
        draft = json.loads(done.stdout)
        self.assertEqual(draft["domain"], "example.com")
        self.assertEqual(draft["lookups"], 2)
        self.assertEqual(draft["records"], [{"name": "example.com", "text": "v=spf1 a mx -all",
                                             "strings": ["v=spf1 a mx -all"], "answer_octets": 58}])
        self.assertEqual(len(draft["notes"]), 1)
        self.assertIn("-all, the strictest", draft["notes"][0])

    def test_notes_beside_zone_lines(self):
        done = run("--format", "zone", "v=spf1 a ~all", "v=spf1 mx -all")
        self.assertEqual(done.stdout, '@ IN TXT "v=spf1 a mx -all"\n')
        self.assertIn("note: The records end in different alls", done.stderr)

    def test_terms_that_look_like_options(self):
        self.assertEqual(self.record("--all", "-all", "--", "-a:b.example", "mx"), "v=spf1 -a:b.example mx -all")

    def test_contradictions_are_noted(self):
        done = run("--format", "zone", "v=spf1 include:a.example ~include:b.example -all", "include:b.example")
        self.assertEqual(done.stdout, '@ IN TXT "v=spf1 include:a.example ~include:b.example -all"\n')
        self.assertEqual(done.stderr, "note: include:b.example contradicts what was given before it: "
                                      "the result of that, softfail, stays.\n")

    def test_nothing_may_send(self):
        self.assertEqual(self.record(), "v=spf1 -all")

    def test_what_is_refused(self):
        for arguments, words in ((["ipv4:192.0.2.1"], '"ipv4:192.0.2.1" is no sender'),
                                 (["mx", "--all", "+all"], '"+all" is none of -all, ~all and ?all'),
                                 (["mx", "--domain", "a..b"], '"a..b" is no domain name'),
                                 (["mx", "--format", "nsupdate"], "none of text, zone, json"),
                                 (["mx", "--ttl", "0"], "no whole number from 1"),
                                 (["v=spf1 ipv4:192.0.2.1 -all"], "is wrong at octet 7: unknown mechanism"),
                                 (["mx", "--domain", "localhost"], '"localhost" is no domain name of several labels'),
                                 (["include:example.com", "--domain", "example.com"], "would lead the record to itself"),
                                 (["-mx", "a"], '"-mx" is no option'),
                                 (["-mx", "a"], 'a term that begins with "-" stands behind "--"'),
                                 (["mx", "--resolver", "none"], "no option")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""), arguments)
            self.assertIn(words, done.stderr)

    def test_lint_has_nothing_against_it(self):
        senders = ["192.0.2.1", "192.0.2.0/28", "2001:db8::/48", "mx", "a", "mail.example.com", "include:b.example",
                   "exists:%{i}.list.example", "v=spf1 ip4:198.51.100.0/24 a ~all",
                   "v=spf1 ip4:198.51.100.0/25 -ip4:192.0.2.5 mx -all", "v=spf1 redirect=c.example"]
        for chosen in itertools.combinations(senders, 2):
            record = self.record("--domain", "example.com", *chosen)
            done = subprocess.run([SPF, "lint", "--json", "--offline", record], capture_output=True, text=True,
                                  timeout=60, check=False)
            remarks = [remark for remark in json.loads(done.stdout)["remarks"] if remark["severity"] != "advice"]
            self.assertEqual(remarks, [], record)

    def test_help(self):
        done = subprocess.run([SPF, "help", "compose"], capture_output=True, text=True, check=False)
        self.assertIn("Usage: spf compose [OPTION]... SENDER...", done.stdout)


if __name__ == "__main__":
    unittest.main()
