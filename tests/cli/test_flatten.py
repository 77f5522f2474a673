#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spf flatten` as its users meet it: formats, options, what is refused, commands, and that lint and check agree."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

SPF = os.environ["SPF"]

ZONE = """\
$ORIGIN example.com.
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
@ IN TXT "v=spf1 include:a.example.com include:b.example.com mx exists:%{i}.list.%{d} ~all"
@ IN TXT "verification=\\"1\\" \\\\ \\233"
@ IN MX 10 m
m IN A 192.0.2.9
m IN AAAA 2001:db8::9
a IN TXT "v=spf1 ip4:192.0.2.0/25 include:c.example.com -all"
b IN TXT "v=spf1 ip4:192.0.2.128/25 ~all"
c IN TXT "v=spf1 ip4:198.51.100.0/24 a:m.example.com ~all"
plain IN TXT "no policy"
nul IN TXT "v=spf1 ip4:192.0.2.1 \\000ip4:192.0.2.2 -all"
bad IN TXT "v=spf1 include:plain.example.com -all"
_spf1 IN TXT "v=spf1 ip4:192.0.2.1 ip4:192.0.2.3 ip4:192.0.2.5 ip4:192.0.2.7 -all"
_spf2 IN TXT "v=spf1 ip4:192.0.2.9 ip4:192.0.2.11 ip4:192.0.2.13 ip4:192.0.2.15 -all"
"""

TEXT = "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ip6:2001:db8::9 exists:%{i}.list.%{d} ~all"


class Flatten(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.zone = cls.folder / "zone"
        cls.zone.write_text(ZONE)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def run_spf(self, verb, *arguments, environment=None):
        return subprocess.run([SPF, verb, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **(environment or {})}, check=False)

    def flatten(self, *arguments):
        return self.run_spf("flatten", "--zone", self.zone, *arguments)

    def test_text(self):
        done = self.flatten("example.com", "--ttl", "60")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(),
                         ["example.com: " + TEXT, "lookups: 1 of 10", "octets of an answer for example.com: 128",
                          "note: exists:%{i}.list.%{d} stays as it is: what it stands for depends on the mail.", "",
                          'example.com. 60 IN TXT "%s"' % TEXT])

    def test_zone_and_json(self):
        self.assertEqual(self.flatten("example.com", "--format", "zone").stdout, 'example.com. IN TXT "%s"\n' % TEXT)
        draft = json.loads(self.flatten("example.com", "--format", "json").stdout)
        self.assertEqual([record["text"] for record in draft["records"]], [TEXT])
        self.assertEqual(draft["lookups"], 1)

    def test_nsupdate(self):
        done = self.flatten("example.com", "--format", "nsupdate", "--server", "192.0.2.53@5353", "--update-zone",
                            "example.com", "--ttl", "60")
        self.assertEqual(done.stdout.splitlines(),
                         ["server 192.0.2.53 5353", "zone example.com", "update delete example.com. TXT",
                          'update add example.com. 60 IN TXT "%s"' % TEXT,
                          'update add example.com. 60 IN TXT "verification=\\"1\\" \\\\ \\233"', "send"])

    def test_several_records_say_the_same(self):
        done = self.flatten("example.com", "--format", "zone", "--answer-max", "160", "--prefix", "spf-")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[1:], ['spf-1.example.com. IN TXT "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 '
                                     'ip6:2001:db8::9 -all"'])
        published = self.folder / "published"
        published.write_text("$TTL 300\nexample.com. IN SOA ns.example.com. hostmaster.example.com. 1 1 1 1 1\n" +
                             done.stdout)
        for ip in ("192.0.2.200", "192.0.3.0", "198.51.100.255", "2001:db8::9", "2001:db8::a"):
            before, after = (self.run_spf("check", "--ip", ip, "--sender", "a@example.com", "--zone", zone).returncode
                             for zone in (self.zone, published))
            self.assertEqual(before, after, ip)
        done = self.run_spf("lint", "example.com", "--zone", published, "--json")
        self.assertEqual([remark for remark in json.loads(done.stdout)["remarks"] if remark["severity"] == "error"], [])

    def test_kept_includes(self):
        done = self.flatten("example.com", "--keep", "B.example.com", "--keep", "c.example.com", "--format", "zone")
        self.assertIn('"v=spf1 ip4:192.0.2.0/25 include:c.example.com include:b.example.com '
                      'ip6:2001:db8::9 exists', done.stdout)
        self.assertIn("note: include:b.example.com stays as it is: as asked.", done.stderr)

    def test_records_from_elsewhere(self):
        done = self.flatten("example.com", "--from", "c.example.com", "--format", "zone")
        self.assertEqual(done.stdout, 'example.com. IN TXT "v=spf1 ip4:192.0.2.9 ip4:198.51.100.0/24 ip6:2001:db8::9 '
                                      '~all"\n')
        done = self.flatten("example.com", "--record", "v=spf1 mx -all", "--format", "zone")
        self.assertEqual(done.stdout, 'example.com. IN TXT "v=spf1 ip4:192.0.2.9 ip6:2001:db8::9 -all"\n')
        done = self.flatten("example.com", "--record", "v=spf2 mx -all")
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertIn('does not begin with "v=spf1" and a space', done.stderr)
        done = self.flatten("example.com", "--from", "plain.example.com")
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertIn("--from: plain.example.com cannot be flattened: its domain has no SPF record", done.stderr)
        done = self.flatten("example.com", "--from", "nul.example.com")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("has a syntax error", done.stderr)

    def test_what_a_record_from_elsewhere_leads_to_is_not_overwritten(self):
        record = "v=spf1 include:_spf1.example.com include:_spf2.example.com ~all"
        arguments = ["example.com", "--record", record, "--answer-max", "160", "--format", "zone"]
        names = [line.split()[0] for line in self.flatten(*arguments).stdout.splitlines()]
        self.assertEqual(names, ["example.com.", "_spf3.example.com."])
        names = [line.split()[0] for line in self.flatten(*arguments, "--prefix", "_SPF").stdout.splitlines()]
        self.assertEqual(names, ["example.com.", "_spf3.example.com."])

    def test_what_cannot_be_flattened(self):
        for name, status, words in (("plain.example.com", 6, "has no SPF record"),
                                    ("none.example.com", 6, "does not exist"),
                                    ("bad.example.com", 1, "include:plain.example.com in the record of"),
                                    ("example.com", 1, "too long for a DNS answer")):
            record = "v=spf1 exists:%%{i}.%s.example.com exists:%%{l}.%s.example.com -all" % ("x" * 60, "x" * 60)
            options = ["--answer-max", "128", "--record", record] if name == "example.com" else []
            done = self.flatten(name, *options)
            self.assertEqual((done.returncode, done.stdout), (status, ""), name)
            self.assertIn(words, done.stderr)

    def test_dns_that_fails(self):
        done = self.run_spf("flatten", "example.com", "--resolver", "127.0.0.1@1", "--timeout", "0.5")
        self.assertEqual((done.returncode, done.stdout), (5, ""))
        self.assertIn("example.com cannot be flattened", done.stderr)

    def test_options_that_do_not_go_together(self):
        for arguments, words in (([], "the domain is missing"), (["a.b", "c.d"], "one domain is flattened at a time"),
                                 (["a.b", "--from", "c.d", "--record", "v=spf1"], "do not go together"),
                                 (["a.b", "--key", "x"], "--key goes with --nsupdate"),
                                 (["a.b", "--server", "x"], "go with --nsupdate"),
                                 (["a.b", "--watch", "--nsupdate"], "--from NAME or --record TEXT is missing"),
                                 (["a.b", "--min-interval", "9", "--max-interval", "8"], "--min-interval 9 is more than --max-interval 8"),
                                 (["a.b", "--watch", "--nsupdate", "--from", "A.b."], "is to be another"),
                                 (["a.b", "--prefix", "a b"], 'the prefix "a b" is none'),
                                 (["a.b", "--keep", "c..d"], '"c..d" is no domain name'),
                                 (["a.b", "--nsupdate", "--update-zone", "c..d"], '--update-zone: domain "c..d"'),
                                 (["ann@a.b"], 'expected is its domain, "a.b"'),
                                 (["v=spf1 -all"], "a record is given by --record"),
                                 *((["a.b", "--nsupdate", "--server", server], "is no ADDR[@PORT]") for server in
                                   ("", "127.0.0.1#53", "a b", "192.0.2.1@", "192.0.2.1@x", "192.0.2.1@0", "@53",
                                    "192.0.2.1@65536", "192.0.2.1@53 x")),
                                 (["a.b", "--answer-max", "127"], "no whole number from 128 to 65535"),
                                 (["a..b"], "a..b")):
            done = self.flatten(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""), arguments)
            self.assertIn(words, done.stderr)

    def test_an_interval_that_is_not_set_gives_way(self):
        for arguments in (["--max-interval", "59"], ["--min-interval", "3601"]):
            self.assertEqual(self.flatten("example.com", *arguments).returncode, 0, arguments)

    def test_a_command_gets_the_records_once(self):
        out = self.folder / "out"
        done = self.flatten("example.com", "--format", "zone", "--exec",
                            "(echo $SPF_DOMAIN $SPF_FORMAT; cat) >%s" % out)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(out.read_text(), 'example.com zone\nexample.com. IN TXT "%s"\n' % TEXT)
        done = self.flatten("example.com", "--exec", "exit 3")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--exec: ended with status 3", done.stderr)
        done = self.flatten("example.com", "--exec", "kill -9 $$")
        self.assertEqual(done.returncode, 2)
        self.assertIn("was ended by signal 9", done.stderr)

    def test_a_command_that_fails_where_ends_of_children_are_ignored(self):
        done = subprocess.run([SPF, "flatten", "--zone", self.zone, "example.com", "--exec", "exit 3"], check=False,
                              capture_output=True, text=True, timeout=60,
                              preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(done.returncode, 2)
        self.assertIn("--exec: ended with status 3", done.stderr)

    def test_nsupdate_that_is_not_there(self):
        done = self.run_spf("flatten", "--zone", self.zone, "example.com", "--nsupdate",
                            environment={"PATH": str(self.folder)})
        self.assertEqual(done.returncode, 2)
        self.assertIn("nsupdate: No such file", done.stderr)


if __name__ == "__main__":
    unittest.main()
