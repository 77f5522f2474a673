#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spf explain` as its users meet it: pasted fields, messages, what is missing, JSON, exit statuses."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

SPF = os.environ["SPF"]

ZONE = """\
$ORIGIN example.com.
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
@ IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
helo IN TXT "v=spf1 ip4:198.51.100.1 -all"
bad IN TXT "v=spf1 ip4:192.0.2.0/33 -all"
nul IN TXT "v=spf1 -all\\000"
"""

FIELD = "Received-SPF: fail (mx: no) client-ip=192.0.2.7; envelope-from=ann@example.com; helo=h.example.com\n"
MESSAGE = """\
Return-Path: <ann@example.com>
Received: from h.example.com (rdns.example.com [203.0.113.5]) by mx.example.org with ESMTP; Sat, 21 Nov 2026
Authentication-Results: mx.example.org; spf=softfail smtp.mailfrom=example.com; dkim=none
Subject: hello

Received-SPF: pass client-ip=192.0.2.1; envelope-from=ann@example.com
"""


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.zone = pathlib.Path(cls.folder.name) / "zone"
        cls.zone.write_text(ZONE)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_spf(self, *arguments, text=None):
        return subprocess.run([SPF, "explain", "--zone", self.zone, *map(str, arguments)], input=text,
                              capture_output=True, text=True, timeout=60, check=False)

    def test_field_on_standard_input(self):
        done = self.run_spf(text=FIELD)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines()[0], "pass")
        for words in ("header:   Received-SPF says fail", "comment:  mx: no", "client:   192.0.2.7",
                      "sender:   ann@example.com", "helo:     h.example.com",
                      "The header said fail, and now it is pass"):
            self.assertIn(words, done.stdout)

    def test_message_in_a_file(self):
        path = pathlib.Path(self.folder.name) / "message"
        path.write_text(MESSAGE)
        done = self.run_spf(path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Authentication-Results says softfail", done.stdout)
        self.assertIn("client:   203.0.113.5", done.stdout)
        self.assertIn("sender:   ann@example.com", done.stdout)
        self.assertIn("If the mail was forwarded", done.stdout)

    def test_header_as_an_option(self):
        done = self.run_spf("--header", FIELD, "--trace")
        self.assertEqual(done.returncode, 0)
        self.assertIn("trace:\n", done.stdout)

    def test_options_win(self):
        done = self.run_spf("--header", FIELD, "--ip", "203.0.113.9", "--sender", "bob@bad.example.com")
        self.assertEqual(done.returncode, 4)
        self.assertIn("sender:   bob@bad.example.com", done.stdout)

    def test_helo_identity(self):
        done = self.run_spf("--header", "Received-SPF: pass client-ip=198.51.100.1; helo=helo.example.com; identity=helo",
                            "--json")
        answer = json.loads(done.stdout)
        self.assertEqual((answer["now"]["identity"], answer["now"]["result"]), ("helo", "pass"))
        self.assertIn("The header said the same.", answer["advice"])

    def test_json(self):
        done = self.run_spf("--json", "--header", FIELD)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["header"]["result"], "fail")
        self.assertEqual(answer["header"]["ip"], "192.0.2.7")
        self.assertIsNone(answer["header"]["receiver"])
        self.assertEqual(answer["now"]["result"], "pass")
        self.assertIsInstance(answer["advice"], list)

    def test_json_of_a_record_with_a_nul(self):
        done = self.run_spf("--json", "--ip", "192.0.2.7", "--sender", "ann@nul.example.com", "--header", "x")
        self.assertEqual((done.returncode, done.stderr), (4, ""))
        self.assertEqual(json.loads(done.stdout)["now"]["result"], "permerror")

    def test_who_said_so(self):
        done = self.run_spf(text="Authentication-Results: mx.example.org; spf=fail (sender IP is 192.0.2.7)\n"
                                 " smtp.mailfrom=ann@example.com\n")
        self.assertIn("\nheader:   Authentication-Results says fail\nreceiver: mx.example.org\n", done.stdout)

    def test_nothing_to_go_by(self):
        for text, words in (("Subject: x\n\nbody\n", "no client address"),
                            ("Received-SPF: fail client-ip=192.0.2.7\n", "neither a sender nor a HELO name"),
                            ("Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=a@example.com\n",
                             "Authentication-Results says pass, but no field tells the client's address"),
                            ("", "no client address")):
            done = self.run_spf(text=text)
            self.assertEqual((done.returncode, done.stdout), (64, ""))
            self.assertIn(words, done.stderr)

    def test_no_such_file(self):
        done = self.run_spf("/nonexistent/message")
        self.assertEqual(done.returncode, 64)
        self.assertIn("/nonexistent/message", done.stderr)

    def test_too_many(self):
        self.assertIn('"b" is one too many', self.run_spf("a", "b").stderr)
        self.assertIn("do not go together", self.run_spf("a", "--header", FIELD).stderr)


if __name__ == "__main__":
    unittest.main()
