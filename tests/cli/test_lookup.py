#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spf lookup` as its users meet it: the tree, JSON, the graph, what there is in place of a record, exit statuses."""
import json
import os
import pathlib
import pty
import re
import socket
import subprocess
import tempfile
import unittest

SPF = os.environ["SPF"]

ZONE = """\
$ORIGIN example.com.
$TTL 300
@ IN TXT "v=spf1 mx include:_spf.example.net " "exists:%{i}.list.example.com -all"
@ IN MX 10 mail
@ IN MX 20 mx2
mail IN A 192.0.2.25
mail IN AAAA 2001:db8::25
mx2 600 IN A 192.0.2.26
plain IN A 192.0.2.9
plain IN TXT "no policy here"
_spf.plain IN TXT "v=spf1 -all"
two IN TXT "v=spf1 -all"
two IN TXT "v=spf1 ~all"
wrong IN TXT "v=spf1 ip4:192.0.2.0/33 include:nothing.example.com -all"
loop1 IN CNAME loop2
loop2 IN CNAME loop1
broken IN TXT "v=spf1 a:loop1.example.com -all"
many IN TXT "v=spf1 a:mail a:mail a:mail a:mail a:mail a:mail a:mail a:mail a:mail a:mail -all"
limit IN TXT "v=spf1 a:mx2.example.com include:more.example.com a:mx2.example.com -all"
more IN TXT "v=spf1 a:mail.example.com mx:example.com a:mail.example.com a:mail.example.com a:mail.example.com" \
 " a:mail.example.com a:mail.example.com a:mail.example.com a:mail.example.com ?all"
six IN TXT "v=spf1 a:mx2.example.com a:mx2.example.com a:mx2.example.com -all"
all IN TXT "v=spf1 +all"
wide IN TXT "v=spf1 a:farm.example.com -all"
farm IN A 192.0.2.1
""" + "".join("     IN A 198.51.100.%d\n" % (i * 2) for i in range(12)) + """\
$ORIGIN example.net.
_spf IN TXT "v=spf1 ip4:198.51.100.7/24 a:relay.example.net/28 redirect=_more.example.net"
_more IN TXT "v=spf1 ptr ~all"
relay IN A 203.0.113.77
relay IN AAAA 2001:db8::77
""".replace("\\\n", "")

TREE = """\
example.com [lookups 6 of 10, TTL 300]
|  v=spf1 mx include:_spf.example.net exists:%{i}.list.example.com -all
|- mx -> example.com: 2 hosts: mail.example.com 192.0.2.25 2001:db8::25,
|  mx2.example.com 192.0.2.26 [lookup 1, TTL 300]
|- include:_spf.example.net [lookup 2, 3 below: 5 so far, TTL 300]
|  |  v=spf1 ip4:198.51.100.7/24 a:relay.example.net/28
|  |  redirect=_more.example.net
|  |- ip4:198.51.100.7/24 = 198.51.100.0/24
|  |- a:relay.example.net/28 -> 203.0.113.77 2001:db8::77 = 203.0.113.64/28
|  |  2001:db8::77 [lookup 3, TTL 300]
|  `- redirect=_more.example.net [lookup 4, 1 below: 5 so far, TTL 300]
|     |  v=spf1 ptr ~all
|     `- ptr -> _more.example.net [lookup 5, depends on the mail]
`- exists:%{i}.list.example.com [lookup 6, depends on the mail]
3 records, 6 networks may send
"""

STATUSES = {
    "example.com": 0,
    "all.example.com": 0,
    "two.example.com": 1,
    "wrong.example.com": 1,
    "many.example.com": 1,
    "limit.example.com": 1,
    "six.example.com": 1,
    "broken.example.com": 5,
    "loop1.example.com": 5,
    "plain.example.com": 6,
    "nothing.example.com": 6,
    "example": 6,
}


def run(*arguments, environment=None):
    return subprocess.run([SPF, "lookup", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})}, check=False)


class Lookup(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.zone = pathlib.Path(cls.folder.name) / "example.zone"
        cls.zone.write_text(ZONE)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def lookup(self, *arguments, **keywords):
        return run("--zone", self.zone, *arguments, **keywords)

    def test_the_tree(self):
        done = self.lookup("example.com", "--ascii")
        tree = "".join(line + "\n" for line in done.stdout.splitlines() if not re.match("(error|warning|advice): ", line))
        self.assertEqual((tree, done.stderr, done.returncode), (TREE, "", 0))

    def test_lines_are_what_the_locale_can_show(self):
        utf8 = self.lookup("example.com").stdout
        self.assertIn("│  ├─ ip4:198.51.100.7/24", utf8)
        self.assertIn("│  └─ redirect=", utf8)
        self.assertIn("mx → example.com", utf8)
        ascii_only = self.lookup("example.com", environment={"LC_ALL": "C"}).stdout
        self.assertEqual(ascii_only, self.lookup("example.com", "--ascii").stdout)
        self.assertTrue(ascii_only.isascii())

    def test_colors_for_terminals_only(self):
        plain = self.lookup("example.com").stdout
        colored = self.lookup("--color", "always", "example.com").stdout
        self.assertNotIn("\033", plain)
        self.assertIn("\033[1mexample.com\033[0m", colored)
        self.assertEqual(re.sub(r"\033\[[0-9;]*m", "", colored), plain)
        try:
            master, slave = pty.openpty()
        except OSError as error:
            self.skipTest(f"no terminal can be had: {error}")
        for environment, is_colored in (({}, True), ({"NO_COLOR": "1"}, False)):
            subprocess.run([SPF, "lookup", "--zone", self.zone, "all.example.com"], stdout=slave, check=False,
                           env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **environment}, timeout=60)
            self.assertEqual(b"\033[" in os.read(master, 65536), is_colored)
        os.close(slave)
        os.close(master)

    def test_exit_statuses(self):
        for domain, status in STATUSES.items():
            done = self.lookup(domain)
            self.assertEqual((done.returncode, done.stderr), (status, ""), domain)

    def test_what_is_there_in_place_of_a_record(self):
        for domain, words in (("plain.example.com", ": no SPF record, but another TXT record [TTL 300]"),
                              ("nothing.example.com", ": there is no such domain (NXDOMAIN)"),
                              ("loop1.example.com", ": DNS failed: "),
                              ("two.example.com", ": several SPF records, which is a permerror"),
                              ("example", ": no domain that mail can come from")):
            first = self.lookup(domain).stdout.splitlines()[0]
            self.assertTrue(first.startswith(domain + words), first)

    def test_a_server_that_does_not_answer(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            done = run("--resolver", "127.0.0.1@%d" % silent.getsockname()[1], "--timeout", "0.3", "example.com")
        self.assertEqual((done.returncode, done.stderr), (5, ""))
        self.assertTrue(done.stdout.startswith("example.com: DNS did not answer"), done.stdout)

    def test_a_record_at_the_wrong_name_is_told(self):
        done = self.lookup("plain.example.com")
        self.assertRegex(done.stdout, '(?m)^error: .*"_spf.plain.example.com" has one')

    def test_where_the_limit_falls(self):
        done = self.lookup("limit.example.com", "--ascii").stdout
        self.assertIn("lookups 12 of 10", done)
        self.assertIn("|- include:more.example.com [lookup 2, 9 below: 11 so far,", done)
        self.assertEqual(done.count(": here the limit of 10 is passed"), 1)
        self.assertIn("[lookup 11: here the limit of 10 is passed,", done.replace("\n|     ", " "))
        self.assertIn("`- a:mx2.example.com -> 192.0.2.26 [lookup 12, void 2 from IPv6, past the limit,", done.replace("\n   ", " "))
        self.assertIn("mail that no term matches gets permerror\n", done)
        self.assertRegex(done, "(?m)^error: ")

    def test_lines_have_80_columns_unless_a_word_is_longer(self):
        record = "v=spf1 include:more.example.com ip4:192.0.2.0/33 a:wide.example.com/20 %s -all" % " ".join(
            "ip4:192.0.2.%d" % i for i in range(100))
        shown = self.lookup("--ascii", "example.com", "--record", record).stdout
        tree = shown[:shown.index("\n2 records, ")].splitlines()
        self.assertTrue(all(len(line) <= 80 for line in tree), shown)
        self.assertEqual([line for line in tree if line.endswith(" ")], [])
        self.assertEqual(" ".join(line.lstrip("| ") for line in tree).count("ip4:192.0.2.99 -all"), 1)
        word = "v=spf1 exists:%s.example %s" % (".".join(["x" * 60] * 4), "y" * 300)
        self.assertIn("y" * 300 + "\n", self.lookup("--ascii", "example.com", "--record", word).stdout)

    def test_counts_only_where_there_are_some(self):
        self.assertEqual(self.lookup("--ascii", "all.example.com").stdout.splitlines()[:3],
                         ["all.example.com [lookups 0 of 10, TTL 300]", "   v=spf1 +all", "1 record, anybody may send"])

    def test_terms_that_say_all_themselves_have_no_line(self):
        shown = self.lookup("--ascii", "--record", "v=spf1 ip4:192.0.2.0/24 ip6:2001:DB8::/32 ip4:192.0.2.1/32 "
                            "ip4:192.0.2.9/24 ip6:2001:db8::1/32 moo=x exp=e.example ~all ip4:192.0.2.2").stdout
        self.assertEqual([line for line in shown.splitlines() if line[:3] in ("|- ", "`- ")],
                         ["|- ip4:192.0.2.9/24 = 192.0.2.0/24", "|- ip6:2001:db8::1/32 = 2001:db8::/32",
                          "`- ip4:192.0.2.2 [not reached]"])

    def test_several_records_are_all_shown(self):
        self.assertEqual(self.lookup("--ascii", "two.example.com").stdout.splitlines()[:3],
                         ["two.example.com: several SPF records, which is a permerror [TTL 300]",
                          "   v=spf1 -all", "   v=spf1 ~all"])
        shown = self.lookup("--ascii", "--record", "v=spf1 include:two.example.com -all", "example.com").stdout
        self.assertIn("\n`- include:two.example.com -> several SPF records, which is a permerror\n"
                      "   [lookup 1, TTL 300]\n      v=spf1 -all\n      v=spf1 ~all\n", shown)

    def test_void_lookups_of_ipv6_clients(self):
        done = self.lookup("six.example.com", "--ascii").stdout
        self.assertIn("[lookups 3 of 10, void 3 of 2 from IPv6,", done)
        self.assertIn("void 3 from IPv6: here the limit of 2 is passed", done)
        self.assertIn("mail from IPv6 clients that no term matches gets permerror\n", done)

    def test_networks(self):
        few = self.lookup("wide.example.com").stdout
        self.assertRegex(few, r"and 5 more\s+(│  )?\s*\[")
        self.assertNotIn("198.51.100.22", few)
        self.assertIn("198.51.100.22", self.lookup("wide.example.com", "--all-networks").stdout)
        self.assertIn("anybody may send", self.lookup("all.example.com").stdout)

    def test_what_if(self):
        done = self.lookup("example.com", "--ascii", "--record", '"v=spf1 a" " mx -all"')
        self.assertTrue(done.stdout.startswith("example.com [lookups 2 of 10, void 1 of 2]\n"
                                               "|  v=spf1 a mx -all\n"), done.stdout)
        done = self.lookup("--ascii", "--record", "v=spf1 a ip4:192.0.2.1 -all")
        self.assertTrue(done.stdout.startswith("(no domain) [lookups 1 of 10]\n|  v=spf1 a ip4:192.0.2.1 -all\n"
                                               "`- a [lookup 1, not asked]\n"), done.stdout)
        self.assertIn("1 network may send, so far as is known: not everything was asked\n", done.stdout)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.lookup("--record", "v=spf2 a").returncode, 6)

    def test_json(self):
        done = self.lookup("--json", "example.com")
        found = json.loads(done.stdout)
        self.assertEqual(done.stdout.count("\n"), 1)
        self.assertEqual((found["domain"], found["given"], done.returncode), ("example.com", False, 0))
        self.assertEqual(found["summary"]["lookups"], 6)
        self.assertEqual(found["summary"]["networks"], 6)
        self.assertTrue(found["summary"]["complete"])
        terms = found["tree"]["terms"]
        self.assertEqual([term["kind"] for term in terms], ["mx", "include", "exists", "all"])
        self.assertEqual(terms[0]["networks"], ["192.0.2.25", "192.0.2.26", "2001:db8::25"])
        self.assertEqual((terms[0]["hosts"], terms[0]["ttl"], terms[0]["lookup"]), (2, 300, 1))
        inner = terms[1]["child"]
        self.assertEqual(inner["domain"], "_spf.example.net")
        self.assertEqual(inner["terms"][0]["networks"], ["198.51.100.0/24"])
        self.assertEqual(inner["terms"][2]["child"]["terms"][0]["status"], "macro")
        self.assertEqual((terms[2]["depends_on_mail"], terms[2]["target"]), (True, None))
        self.assertIsInstance(found["remarks"], list)
        self.assertIsNone(found["tree"]["records"])
        two = json.loads(self.lookup("--json", "two.example.com").stdout)["tree"]
        self.assertEqual((two["status"], two["record_count"], sorted(two["records"])),
                         ("several", 2, ["v=spf1 -all", "v=spf1 ~all"]))
        wrong = json.loads(self.lookup("--json", "wrong.example.com").stdout)
        self.assertEqual(wrong["tree"]["syntax_error"]["offset"], 21)
        self.assertEqual(wrong["tree"]["terms"][1]["status"], "no-domain")
        self.assertEqual(wrong["remarks"][0]["severity"], "error")

    def test_the_graph(self):
        done = self.lookup("--dot", "example.com")
        self.assertTrue(done.stdout.startswith("digraph spf {\n"))
        self.assertTrue(done.stdout.endswith("}\n"))
        nodes = re.findall(r'^  (n\d+) \[label="([a-z_.]+)\\n', done.stdout, flags=re.M)
        self.assertEqual(nodes, [("n0", "example.com"), ("n1", "_spf.example.net"), ("n2", "_more.example.net")])
        edges = re.findall(r'^  (n\d+) -> (n\d+) \[label="(\w+) #(\d+)"', done.stdout, flags=re.M)
        self.assertEqual(edges, [("n0", "n1", "include", "2"), ("n1", "n2", "redirect", "4")])

    def test_text_from_strangers_is_made_harmless(self):
        record = 'v=spf1 include:"x\\l\033[31m.example -all\u00e9'
        self.assertNotIn("\033", self.lookup("--record", record).stdout)
        graph = self.lookup("--dot", "--record", record).stdout
        self.assertIn('include:\\"x\\\\l?[31m.example', graph)
        self.assertIn('"(no domain)\\nlookups 1, void 1\\nexists:&amp;#27;.example #1',
                      self.lookup("--dot", "--record", "v=spf1 exists:&#27;.example").stdout)
        self.assertTrue(self.lookup("--ascii", "--record", record).stdout.isascii())
        json.loads(self.lookup("--json", "--record", record).stdout)

    def test_bad_usage(self):
        for arguments, words in (([], "the domain is missing"),
                                 (["a.example", "b.example"], '"b.example" is one too many'),
                                 (["ann@example.com"], 'expected is its domain, "example.com"'),
                                 (["v=spf1 -all"], "a record is given by --record"),
                                 (["https://example.com/"], "no domain name"),
                                 (["a..b"], 'domain "a..b" is no domain name'),
                                 (["--json", "--dot", "example.com"], "--json and --dot"),
                                 (["--nonsense"], "is no option; the options are --record, ")):
            done = self.lookup(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""), arguments)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertTrue(done.stderr.startswith("spf lookup: "))
            self.assertIn(words, done.stderr)

    def test_help(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Usage: spf lookup DOMAIN", done.stdout)
        self.assertEqual(done.stdout, subprocess.run([SPF, "help", "lookup"], capture_output=True, text=True,
                                                     check=False).stdout)


if __name__ == "__main__":
    unittest.main()
