#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The scripts without Dovecot: settings files, addresses and networks, and what spf-sieve makes of Received fields."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import dovecot

ZONE = """\
sender.example. TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"
helo.sender.example. TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"
"""
ADDRESSES = {
    "192.0.2.1": "c0000201", "::": "0" * 32, "::1": "0" * 31 + "1", "2001:DB8::25": "20010db8" + "0" * 22 + "25",
    "1:2:3:4:5:6:7:8": "00010002000300040005000600070008", "1:2:3:4:5:6:7::": "0001000200030004000500060007" + "0000",
    "::ffff:192.0.2.1": "c0000201", "1:2:3:4:5:6:192.0.2.1": "000100020003000400050006c0000201",
    "192.0.2": None, "192.0.2.256": None, "192.0.2.01": None, "192.0.2.1.": None, "": None, "1:2:3:4:5:6:7": None,
    "1::2::3": None, ":::": None, ":1": None, "1:": None, "12345::": None, "::g": None, "::1%lo": None, "::192.0.2": None,
    "1:2:3:4:5:6:7:8:9": None, "1:2:3:4:5:6:7:192.0.2.1": None, "1:2:3:4:5:6:7:8::": None,
}
WITHIN = {
    ("10.127.0.1", "10.0.0.0/9"): True, ("10.128.0.1", "10.0.0.0/9"): False, ("192.0.2.1", "192.0.2.1"): True,
    ("192.0.2.1", "0.0.0.0/0"): True, ("::1", "0.0.0.0/0"): False, ("2001:db8::1", "2001:db8::/127"): True,
    ("2001:db8::2", "2001:db8::/127"): False, ("::ffff:192.0.2.1", "192.0.2.0/24"): True,
}
NO_NETWORKS = ["192.0.2.1/33", "::/129", "192.0.2.1/", "192.0.2.1/x", "/8", "192.0.2.1/-1"]

# The value of a Received field to the client and its HELO; None where it tells no client.
RECEIVED = {
    "from helo.example (rdns.example [192.0.2.1]) by mx.example (Postfix) with ESMTPS id 1": ("192.0.2.1", "helo.example"),
    "from helo.example (rdns.example [IPv6:2001:db8::1])\r\n\tby mx.example (Postfix) with ESMTP": ("2001:db8::1", "helo.example"),
    "from [203.0.113.9] (unknown [192.0.2.1]) by mx.example (Postfix) with ESMTP id 1": ("192.0.2.1", "[203.0.113.9]"),
    "from [192.0.2.1] (helo=helo.example)\n\tby mx.example with esmtp (Exim 4.96)": ("192.0.2.1", "helo.example"),
    "from [192.0.2.1] (helo=[203.0.113.9]) by mx.example with esmtp (Exim 4.96)": ("192.0.2.1", "[203.0.113.9]"),
    "from helo.example ([192.0.2.1]) by mx.example with esmtps (Exim 4.96)": ("192.0.2.1", "helo.example"),
    "from rdns.example ([192.0.2.1]:40000 helo=helo.example ident=x) by mx with esmtp": ("192.0.2.1", "helo.example"),
    "from helo.example (rdns.example [192.0.2.1] (may be forged)) by mx.example (8.17.1/8.17.1) with ESMTP":
        ("192.0.2.1", "helo.example"),
    "from unknown (HELO helo.example) (192.0.2.1) by mx.example with SMTP": ("192.0.2.1", "helo.example"),
    "from rdns.example (HELO helo.example) (joe@192.0.2.1) by mx.example with SMTP": ("192.0.2.1", "helo.example"),
    "from helo.example (192.0.2.1) by ex.example (10.0.0.1) with Microsoft SMTP Server id 15": ("192.0.2.1", "helo.example"),
    "from helo.example (rdns.example [192.0.2.1]) by mx (OpenSMTPD) with ESMTP id 1": ("192.0.2.1", "helo.example"),
    "from helo.example ([192.0.2.1])\n\t(using TLSv1.3 with cipher X (256/256 bits))\n\tby mx.example with LMTP":
        ("192.0.2.1", "helo.example"),
    "from by (by [192.0.2.1]) by mx.example with ESMTP": ("192.0.2.1", "by"),
    "from helo.example (helo.example [192.0.2.1]) by mx.example with ESMTPSA id 1": None,
    "from helo.example (helo.example [192.0.2.1]) by mx.example with esmtpsa (Exim 4.96)": None,
    "by mx.example (Postfix, from userid 0) id 1": None,
    "from joe by mx.example with local (Exim 4.96)": None,
    "from helo.example (rdns.example [192.0.2.1.9]) by mx.example with ESMTP": None,
    "from helo.example (x192.0.2.1) by mx.example with ESMTP": None,
    "from helo.example by mx.example with ESMTP": None,
    "from": None,
    "": None,
}
SETTINGS = """
local spf = require("libspf.dovecot")
local keys = { word = spf.one(spf.choice("a", "b"), "a"), list = spf.many(spf.NAME, { "x" }), n = spf.one(spf.number(1, 9)),
               file = spf.one(spf.PATH), policy = spf.one(spf.POLICY), ["on-error"] = spf.one(spf.choice("go", "stop"), "go") }
local settings, problem, on_error = spf.parse(io.read("a"), keys, "f")
if not settings then
  print(problem, on_error)
else
  print(settings.word, table.concat(settings.list, "+"), settings.n, settings.file, settings.policy)
end
"""
LINES = {
    "": "a\tx\tnil\tnil\tnil",
    "# nothing\n\n  word : b  # more\nlist: y z#1\nlist: q\nn: 2.5": "b\ty+z#1+q\t2.5\tnil\tnil",
    "file: /a b#c\npolicy: V=SPF1 mx -all": "a\tx\tnil\t/a b#c\tV=SPF1 mx -all",
    "word: c": 'f:1: word: "c" is not allowed; allowed: a, b\tgo',
    "\nword: a b": 'f:2: word: "a b" is not allowed; allowed: a, b\tgo',
    "n: 10": 'f:1: n: "10" is not allowed; allowed: a number from 1 to 9\tgo',
    "n: 0x5": 'f:1: n: "0x5" is not allowed; allowed: a number from 1 to 9\tgo',
    "file: a": 'f:1: file: "a" is not allowed; allowed: the absolute path of a file\tgo',
    "policy: v=spf10": 'f:1: policy: "v=spf10" is not allowed; allowed: an SPF record, v=spf1 ...\tgo',
    "list:": 'f:1: list: "" is not allowed; allowed: names without blanks\tgo',
    "words: a\non-error: stop": 'f:1: there is no key "words"; the keys are file, list, n, on-error, policy, word\tstop',
    "just text": 'f:1: "just text" is not of the form `key: value`\tgo',
}



class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="libspf-dovecot-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "zone").write_text(ZONE)
        (self.folder / "libspf.conf").write_text(f"resolver: none\nzone: {self.folder}/zone\nreceiver: mx.receiver.example\n")
        self.configure()
        module = pathlib.Path(os.environ["LIBSPF_LUA"])
        self.environment = {
            **os.environ, "LIBSPF_DOVECOT": str(self.folder), "LUA_PATH": f"{dovecot.SCRIPTS}/?.lua;;",
            "LUA_CPATH": f"{module.parent}/?.so;;"}
        if os.environ.get("LIBSPF_PRELOAD"):
            self.environment.update(LD_PRELOAD=os.environ["LIBSPF_PRELOAD"], ASAN_OPTIONS="detect_leaks=0")

    def configure(self, *lines):
        (self.folder / "sieve.conf").write_text("".join(line + "\n" for line in [f"config: {self.folder}/libspf.conf", *lines]))

    def lua(self, *arguments, stdin=""):
        return subprocess.run(["lua5.4", *arguments], input=stdin.encode(), capture_output=True, env=self.environment,
                              timeout=dovecot.STEP_S, check=False)

    def sieve(self, message, *words):
        done = self.lua(dovecot.SCRIPTS / "spf-sieve", *words, stdin=message)
        return done.stdout.decode(), done.returncode, done.stderr.decode()

    def test_addresses_and_networks(self):
        code = 'local spf = require("libspf.dovecot")\n'
        for address in ADDRESSES:
            code += (f'print((tostring(spf.address("{address}") or "nil"):gsub(".", function(c)'
                     f' return spf.address("{address}") and ("%02x"):format(c:byte()) end)))\n')
        for address, network in WITHIN:
            code += f'print(spf.is_within(spf.address("{address}"), {{ spf.network("{network}") }}))\n'
        for network in NO_NETWORKS:
            code += f'print(spf.network("{network}"))\n'
        expected = [str(octets).replace("None", "nil") for octets in ADDRESSES.values()]
        expected += [str(value).lower() for value in WITHIN.values()] + ["nil"] * len(NO_NETWORKS)
        names = [*ADDRESSES, *WITHIN, *NO_NETWORKS]
        said = self.lua("-", stdin=code).stdout.decode().split("\n")
        self.assertEqual(dict(zip(names, said)), dict(zip(names, expected)))

    def test_settings(self):
        for text, expected in LINES.items():
            with self.subTest(text=text):
                done = self.lua("-e", SETTINGS, stdin=text)
                self.assertEqual(done.stdout.decode().rstrip("\n"), expected, done.stderr)

    def test_memory(self):
        """It forgets what is old and never grows."""
        code = ('local memory = require("libspf.dovecot").memory(10)\n'
                'memory.put("a", 1, 100)\nprint(memory.get("a", 99), memory.get("a", 100), memory.get("b", 0))\n'
                'for i = 1, 5 do memory.put("k" .. i, i, 100) end\nprint(memory.get("a", 0), memory.get("k5", 0))\n'
                'for i = 6, 11 do memory.put("k" .. i, i, 100) end\nprint(memory.get("a", 0), memory.get("k11", 0))\n')
        self.assertEqual(self.lua("-", stdin=code).stdout.decode(), "1\tnil\tnil\n1\t5\nnil\t11\n")

    def test_retry(self):
        """A domain that could not be asked is left alone for a while, whoever wants to know; others are not."""
        code = ('local asked = 0\n'
                'package.loaded.libspf = { check = function(question)\n'
                '  asked = asked + 1\n'
                '  return { result = question.sender:find("dead") and "temperror" or "pass" }\n'
                'end }\n'
                'local spf = require("libspf.dovecot")\n'
                'for _, case in ipairs({ { 60, "ann@dead.example" }, { 60, "bob@DEAD.example" }, { 60, "ann@dead2.example" },\n'
                '                        { 60, "ann@pass.example" }, { 60, "ann@pass.example" }, { 60, "ann@dead.example", "v=spf1" },\n'
                '                        { 0, "ann@dead3.example" }, { 0, "ann@dead3.example" }, { nil, "ann@dead4.example" },\n'
                '                        { nil, "ann@dead4.example" }, { 60, "dead.example" } }) do\n'
                '  local result = spf.check({ retry = case[1] }, { sender = case[2], record = case[3] })\n'
                '  print(result.result, asked)\n'
                'end\n')
        said = self.lua("-", stdin=code).stdout.decode().split()
        self.assertEqual(said[1::2], ["1", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"])
        self.assertEqual(said[2:10:2], ["temperror", "temperror", "pass", "pass"])

    def test_received(self):
        for value, expected in RECEIVED.items():
            with self.subTest(value=value):
                message = f"Return-Path: <ann@sender.example>\nReceived: {value}\nFrom: <ann@sender.example>\n\ntext\n"
                field, status, _ = self.sieve(message, "received-spf")
                self.assertEqual(status, 0)
                if expected is None:
                    self.assertEqual(field, "")
                    self.assertTrue(self.sieve(message, "detail")[0].startswith("unchecked: "))
                else:
                    self.assertTrue(field.startswith("pass "), field)
                    self.assertRegex(field, rf'client-ip="?{expected[0]}"?;')
                    self.assertRegex(field, rf'helo="?{expected[1].replace("[", "[[]")}"?;')

    def test_trust(self):
        """A field counts only if a trusted host wrote it."""
        fields = ["from mx2.example (mx2.example [10.0.0.2]) by mx1.example with ESMTP",
                  "from evil.example (evil.example [203.0.113.9]) by mx2.example with ESMTP",
                  "from good.example (good.example [192.0.2.1]) by evil.example with ESMTP"]
        message = "Return-Path: <ann@sender.example>\n" + "".join(f"Received: {field}\n" for field in fields) + "\n"
        self.assertEqual(self.sieve(message, "result")[0], "fail")
        self.assertIn("client-ip=10.0.0.2;", self.sieve(message, "received-spf")[0])
        self.configure("trusted: 10.0.0.0/8")
        self.assertIn("client-ip=203.0.113.9;", self.sieve(message, "received-spf")[0])
        self.configure("trusted: 10.0.0.0/8 203.0.113.9")
        self.assertIn("client-ip=192.0.2.1;", self.sieve(message, "received-spf")[0])
        self.configure("trusted: 10.0.0.0/8 203.0.113.9", "hops: 2")
        self.assertEqual(self.sieve(message, "detail")[0], "unchecked: no client within 2 Received fields")
        self.configure("trusted: 0.0.0.0/0")
        self.assertEqual(self.sieve(message, "detail")[0], "unchecked: no host but trusted ones brought it")

    def test_senders(self):
        received = "Received: from helo.sender.example (x [192.0.2.1]) by mx.example with ESMTP\n"
        for top, expected in {
                "Return-Path: <>\n": "postmaster@helo.sender.example", "Return-Path: ann@sender.example\n": "ann@sender.example",
                'Return-Path: <"a > b"@sender.example>\n': "@sender.example"}.items():
            self.assertIn(expected, self.sieve(top + received + "\n", "received-spf")[0])
        self.assertEqual(self.sieve(received + "Return-Path: <ann@sender.example>\n\n", "detail")[0],
                         "unchecked: no Return-Path tells the sender")
        self.environment["SENDER"] = "ann@sender.example"
        self.assertEqual(self.sieve(received + "\n", "result")[0], "pass")

    def test_the_message_is_kept(self):
        received = "Received: from helo.example (x [192.0.2.1]) by mx.example with ESMTP"
        for eol in ("\n", "\r\n"):
            for rest in ("", eol, f"Subject: x{eol}{eol}text", f"{eol}{'x' * 300000}{eol}", f"A: {'y' * 200000}{eol}{eol}\0\xff"):
                message = f"Return-Path: <ann@sender.example>{eol}{received}{eol}{rest}"
                tagged = self.sieve(message, "tag")[0]
                self.assertTrue(tagged.endswith(message), rest[:20])
                head = tagged[:-len(message)]
                self.assertTrue(head.startswith("Received-SPF: pass "), head)
                self.assertEqual(head.count("\n"), head.count(eol))
        for message in ("", "\n", "no field at all", "\0" * 2000000, "x" * 2000000):
            self.assertEqual(self.sieve(message, "tag")[:2], (message, 0))

    def test_headers_made_to_take_long(self):
        """A pattern that tries too much would need hours."""
        for header in ("Received: from" + " " * 1000000 + "b", "Received: from x" + "\n " * 500000, "Received: from\n" * 70000,
                       "Received: from " + "(" * 1000000, "Return-Path: " + "<" * 1000000, "Return-Path: <" + "@" * 1000000,
                       "Received: from x (x [192.0.2.1]) by y\n" * 25000, "A:\n" * 300000, "Received" * 130000, "x" + " " * 1000000):
            message = header + "\n\ntext\n"
            text, status, complaint = self.sieve(message, "tag")
            self.assertTrue(text.endswith(message))
            self.assertEqual((status, complaint), (0, ""))

    def test_words(self):
        message = ("Return-Path: <ann@sender.example>\n"
                   "Received: from helo.example (x [192.0.2.1]) by mx.example with ESMTP\n\ntext\n")
        self.assertEqual(self.sieve(message)[0], "pass")
        self.assertTrue(self.sieve(message, "authres")[0].startswith("mx.receiver.example; spf=pass "))
        self.assertEqual(self.sieve(message, "is", "fail", "pass")[:2], ("", 0))
        self.assertEqual(self.sieve(message, "is", "fail")[:2], ("", 1))
        self.assertEqual(self.sieve(message, "is")[:2], ("", 1))
        self.assertEqual(self.sieve(message, "nonsense"), (
            "", 0, 'libspf: "nonsense" is no word for what to print; allowed: result, detail, received-spf, authres, is, tag\n'))

    def test_not_installed(self):
        message = "Return-Path: <ann@sender.example>\n\ntext\n"
        self.environment["LUA_PATH"] = "/nowhere/?.lua"
        self.assertEqual(self.sieve(message, "tag")[:2], (message, 0))
        text, status, complaint = self.sieve(message, "result")
        self.assertEqual((text, status), ("unchecked", 0))
        self.assertIn("module 'libspf.dovecot' not found", complaint)
        self.assertEqual(self.sieve(message, "detail")[1], 0)


if __name__ == "__main__":
    unittest.main()
