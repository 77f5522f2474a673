#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The rule in rspamd: symbols, scores and options, what builds on them, whom it skips, and its settings."""
import json
import re
import shutil
import subprocess
import unittest

import rspamd

ZONE = {
    "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"]},
    "fail.example": {"TXT": ["v=spf1 exp=why.example -all"]},
    "why.example": {"TXT": ["%{i} is not one of %{d}'s hosts"]},
    "softfail.example": {"TXT": ["v=spf1 ~all"]},
    "neutral.example": {"TXT": ["v=spf1 ?ip4:192.0.2.0/24 -all"]},
    "default.example": {"TXT": ["v=spf1 ip4:198.51.100.1"]},
    "include.example": {"TXT": ["v=spf1 include:fail.example include:pass.example -all"]},
    "redirect.example": {"TXT": ["v=spf1 redirect=pass.example"]},
    "mx.example": {"TXT": ["v=spf1 a +mx/24 -all"], "MX": [(10, "host.mx.example")]},
    "host.mx.example": {"A": ["192.0.2.250"]},
    "perm.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 ipv4:192.0.2.1 -all"]},
    "temp.example": {"*": "SERVFAIL"},
    "none.example": {"A": ["192.0.2.1"]},
    "helo.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "quoted.example": {"TXT": ["v=spf1 exists:%{l}.local.example -all"]},
    '"x y".local.example': {"A": ["127.0.0.2"]},
    "all.example": {"TXT": ["v=spf1 -ip4:192.0.2.9 +all"]},
    "include.all.example": {"TXT": ["v=spf1 include:fail.example include:all.example -all"]},
    "unmatched.example": {"TXT": ["v=spf1 include:other.unmatched.example"]},
    "other.unmatched.example": {"TXT": ["v=spf1 -ip4:192.0.2.1 +all"]},
    "macro.example": {"TXT": ["v=spf1 exp=%{r}.example -all"]},
}
README = (rspamd.PLUGIN / "README.md").read_text()
# Sender: symbol, its score in rspamd's own files, and its first option, in the stock module's style.
RESULTS = {
    "pass": ("R_SPF_ALLOW", -0.2, "+ip4:192.0.2.0/24"),
    "fail": ("R_SPF_FAIL", 1.0, "-all"),
    "softfail": ("R_SPF_SOFTFAIL", 0.0, "~all"),
    "neutral": ("R_SPF_NEUTRAL", 0.0, "?ip4:192.0.2.0/24"),
    "none": ("R_SPF_NA", 0.0, "no SPF record"),
    "temp": ("R_SPF_DNSFAIL", 0.0, "temporary DNS error"),
    "perm": ("R_SPF_PERMFAIL", 0.0, "bad SPF record"),
}
OTHERS = {
    "default": ("R_SPF_NEUTRAL", 0.0, "?all"),
    "include": ("R_SPF_ALLOW", -0.2, "+ip4:192.0.2.0/24"),
    "redirect": ("R_SPF_ALLOW", -0.2, "+ip4:192.0.2.0/24"),
    "mx": ("R_SPF_ALLOW", -0.2, "+mx/24"),
    "nowhere": ("R_SPF_NA", 0.0, "no SPF record"),
    "unmatched": ("R_SPF_NEUTRAL", 0.0, "?all"),
}


def only(symbols, prefix="R_SPF_"):
    return {name: value for name, value in symbols.items() if name.startswith(prefix)}


def received(*hops):
    """A message with Received fields: who gave it, under which name, to whom; the latest first."""
    date = "Mon, 1 Jan 2024 00:00:00 +0000"
    fields = "".join(f"Received: from {name} ({name} [{ip}]) by {by} with ESMTP id 1; {date}\r\n"
                     for name, ip, by in hops)
    return fields.encode() + rspamd.MESSAGE


class Results(rspamd.RspamdTest):
    @classmethod
    def setUpClass(cls):
        cls.server = rspamd.DnsServer(rspamd.Zone(ZONE))
        cls.addClassCleanup(cls.server.stop)
        cls.one = rspamd.Rspamd(cls.server)
        cls.addClassCleanup(cls.one.remove)
        cls.one.start()

    def tearDown(self):
        self.check_quiet(self.one)

    def test_by_rspamc(self):
        """All seven results, as an administrator sees them."""
        for name, (symbol, score, option) in RESULTS.items():
            done = subprocess.run(["rspamc", "-h", f"{rspamd.LOOPBACK}:{self.one.port}", "-i", "192.0.2.1", "-F",
                                   f"ann@{name}.example", "--helo", "none.example", "symbols"], input=rspamd.MESSAGE,
                                  capture_output=True, timeout=rspamd.STEP_S, check=True)
            lines = [line for line in done.stdout.decode().split("\n") if re.match(r"Symbol: R_SPF_(?!HELO)", line)]
            with self.subTest(name=name):
                self.assertEqual(len(lines), 1, done.stdout)
                self.assertTrue(lines[0].startswith(f"Symbol: {symbol} ({score:.2f})[{option}, "), lines)

    def test_symbols_scores_and_options(self):
        for name, (symbol, score, option) in {**RESULTS, **OTHERS}.items():
            with self.subTest(name=name):
                found = only(self.one.scan(f"ann@{name}.example", helo="none.example")["symbols"])
                self.assertEqual(set(found), {symbol, "R_SPF_HELO_NA"})
                self.assertEqual((found[symbol]["score"], found[symbol]["options"][0]), (score, option))
                self.assertEqual(len(found[symbol]["options"]), 2)
                self.assertIn(f"{name}.example", found[symbol]["options"][1])

    def test_who_permits_everyone(self):
        for name in ("all.example", "include.all.example"):
            found = only(self.one.symbols("ann@" + name, helo="none.example"))
            self.assertEqual((set(found), found.get("R_SPF_PLUSALL"), found["R_SPF_ALLOW"][0]),
                             ({"R_SPF_ALLOW", "R_SPF_PLUSALL", "R_SPF_HELO_NA"}, ["all.example"], "+all"))
        self.assertEqual(set(only(self.one.symbols("ann@all.example", "192.0.2.9", "all.example"))),
                         {"R_SPF_FAIL", "R_SPF_HELO_FAIL"})
        self.assertEqual(set(only(self.one.symbols("ann@none.example", helo="all.example"))),
                         {"R_SPF_NA", "R_SPF_HELO_ALLOW"})

    def test_reasons(self):
        for name, reason in (("pass", "192.0.2.1 matches ip4:192.0.2.0/24 at offset 7 of pass.example's record"),
                             ("perm", '"ipv4:192.0.2.1"'), ("temp", "SERVFAIL"), ("nowhere", "NXDOMAIN")):
            options = [value for name, value in self.one.symbols(f"ann@{name}.example").items()
                       if re.match("R_SPF_(?!HELO)", name)]
            with self.subTest(name=name):
                self.assertEqual(len(options), 1)
                self.assertIn(reason.strip('"'), options[0][1])

    def test_helo(self):
        for helo, ip, symbol in (("helo.example", "192.0.2.1", "ALLOW"), ("helo.example", "192.0.2.2", "FAIL"),
                                 ("softfail.example", "192.0.2.1", "SOFTFAIL"),
                                 ("perm.example", "192.0.2.9", "PERMFAIL"),
                                 ("neutral.example", "192.0.2.1", "NEUTRAL"), ("temp.example", "192.0.2.1", "DNSFAIL"),
                                 ("[192.0.2.1]", "192.0.2.1", "NA"), ("localhost", "192.0.2.1", "NA"),
                                 ("", "192.0.2.1", "NA"), ("a" * 5000, "192.0.2.1", "NA")):
            with self.subTest(helo=helo[:40]):
                found = self.one.symbols("ann@pass.example", ip, helo)
                self.assertEqual(list(only(found, "R_SPF_HELO_")), ["R_SPF_HELO_" + symbol])
                self.assertIn("R_SPF_ALLOW", found)

    def test_null_sender_is_postmaster_of_helo(self):
        for sender in ("", "<>", None):
            with self.subTest(sender=sender):
                found = self.one.symbols(sender, "192.0.2.2", "helo.example")
                self.assertEqual(set(only(found)), {"R_SPF_FAIL", "R_SPF_HELO_FAIL"})
        self.assertEqual(set(only(self.one.symbols(None, helo=None))), {"R_SPF_NA", "R_SPF_HELO_NA"})

    def test_senders_as_they_come(self):
        for sender, symbol in (('"x y"@quoted.example', "R_SPF_ALLOW"), ("<ann@pass.example>", "R_SPF_ALLOW"),
                               ("pass.example", "R_SPF_ALLOW"), ("@pass.example", "R_SPF_ALLOW"),
                               ("a@b@pass.example", "R_SPF_ALLOW"), ("a\"b@pass.example", "R_SPF_ALLOW"),
                               ("x" * 5000 + "@pass.example", "R_SPF_ALLOW"), ("ann@", "R_SPF_NA"),
                               ("ann@[192.0.2.1]", "R_SPF_NA"), ("\xe9@pass.example", "R_SPF_ALLOW")):
            with self.subTest(sender=sender[:40]):
                self.assertIn(symbol, self.one.symbols(sender))

    def test_addresses(self):
        for ip, symbol in (("2001:db8::1", "R_SPF_ALLOW"), ("2001:db9::1", "R_SPF_FAIL"),
                           ("::ffff:192.0.2.1", "R_SPF_ALLOW"), ("198.51.100.1", "R_SPF_FAIL")):
            with self.subTest(ip=ip):
                self.assertIn(symbol, self.one.symbols("ann@pass.example", ip))
        self.assertEqual(only(self.one.symbols("ann@pass.example", None)), {})

    def test_hostile_texts(self):
        """Options go into logs and headers: one line each, and bounded."""
        for text in (b"a\r\nX-Injected: yes", b"\x00\x01\x1b[31m", b"x" * 3000, b"\xff\xfe]), [", b"%{s}%{h}" * 100):
            self.server.zone.add("hostile.example", {"TXT": [b"v=spf1 a:" + text + b" -all"]})
            self.server.zone.add("hostile%d.example" % len(text), {"TXT": [b"v=spf1 a:" + text + b" -all"]})
            symbols = self.one.symbols("ann@hostile%d.example" % len(text))
            for option in sum(only(symbols).values(), []):
                self.assertNotRegex(option, "[\x00-\x1f\x7f]")
                self.assertLess(len(option), 4096)

    def test_skips(self):
        for headers, expected in (({"User": "ann"}, set()), ({"ip": "10.1.2.3"}, set()), ({"ip": "127.0.0.1"}, set()),
                                  ({}, {"R_SPF_ALLOW", "R_SPF_HELO_ALLOW"})):
            with self.subTest(headers=headers):
                self.assertEqual(set(only(self.one.symbols("ann@pass.example", **headers))), expected)


class Building(rspamd.RspamdTest):
    """What others build on the symbols goes on as with the stock module."""

    DMARC = {
        "_dmarc.pass.example": {"TXT": ["v=DMARC1; p=reject"]},
        "_dmarc.fail.example": {"TXT": ["v=DMARC1; p=reject"]},
        "_dmarc.temp.example": {"TXT": ["v=DMARC1; p=quarantine"]},
        "_dmarc.softfail.example": {"TXT": ["v=DMARC1; p=quarantine"]},
        "_dmarc.none.example": {"TXT": ["v=DMARC1; p=none"]},
    }
    MORE = """
composites {
  TEST_COMPOSITE { expression = "(R_SPF_FAIL | R_SPF_SOFTFAIL) & DMARC_POLICY_REJECT"; score = 3.5; policy = "leave"; }
}
milter_headers { use = ["authentication-results"]; skip_local = false; skip_authenticated = false; }
"""
    AFTER = """
local spf = rspamd_config:register_symbol({name = 'AFTER_SPF', type = 'normal', score = 0, callback = function(task)
  local found = {}
  for _, word in ipairs({'ALLOW', 'FAIL', 'SOFTFAIL', 'NEUTRAL', 'NA', 'DNSFAIL', 'PERMFAIL'}) do
    found[#found + 1] = task:has_symbol('R_SPF_' .. word) and word or nil
  end
  return true, 1.0, table.concat(found, ',')
end})
rspamd_config:register_dependency('AFTER_SPF', 'SPF_CHECK')
"""

    @classmethod
    def setUpClass(cls):
        """The rule, and the stock module in its place."""
        dns = rspamd.DnsServer(rspamd.Zone({**ZONE, **cls.DMARC}))
        cls.addClassCleanup(dns.stop)
        options = {"filters": "dkim", "more": cls.MORE, "scripts": {"after": cls.AFTER},
                   "plugins": ["dmarc.lua", "milter_headers.lua"]}
        cls.ours, cls.stock = (rspamd.Rspamd(dns, local, stock=stock, **options)
                               for local, stock in (("enabled = true;", "false"), (None, "true")))
        for one in (cls.ours, cls.stock):
            cls.addClassCleanup(one.remove)
            one.start()

    def tearDown(self):
        self.check_quiet(self.ours)

    @staticmethod
    def message(name):
        return rspamd.MESSAGE.replace(b"ann@pass.example", f"ann@{name}.example".encode())

    def test_as_with_the_stock_module(self):
        """The same score and action, and the same symbols with the same first options, DMARC's and composites too."""
        dmarc = set()
        for name in ("pass", "fail", "softfail", "neutral", "none", "temp", "default", "include", "mx", "nowhere"):
            answers = [one.scan(f"ann@{name}.example", message=self.message(name)) for one in (self.ours, self.stock)]
            for answer in answers:
                answer["symbols"] = {key: (round(value["score"], 3), value.get("options", [None])[0])
                                     for key, value in answer["symbols"].items() if not key.startswith("R_SPF_HELO_")}
            dmarc |= {key for key in answers[0]["symbols"] if key.startswith(("DMARC_", "TEST_"))}
            with self.subTest(name=name):
                for key in ("symbols", "action"):
                    self.assertEqual(answers[0][key], answers[1][key])
                self.assertAlmostEqual(answers[0]["score"], answers[1]["score"])
        self.assertLessEqual({"DMARC_POLICY_ALLOW", "DMARC_POLICY_REJECT", "TEST_COMPOSITE", "DMARC_DNSFAIL"}, dmarc)

    def test_dependency_waits(self):
        for name, (symbol, _, _) in RESULTS.items():
            self.assertEqual(self.ours.symbols(f"ann@{name}.example")["AFTER_SPF"], [symbol[len("R_SPF_"):]])

    def test_authentication_results(self):
        """rspamd's own field, made of the symbols."""
        for name in RESULTS:
            if name == "perm":
                continue  # which the stock module takes for fine
            fields = [one.scan(f"ann@{name}.example")["milter"]["add_headers"]["Authentication-Results"]
                      for one in (self.ours, self.stock)]
            parts = [sorted(re.split(r";\s*", field["value"] if isinstance(field, dict) else field))
                     for field in fields]
            with self.subTest(name=name):
                self.assertEqual(parts[0], parts[1])
                self.assertRegex(" ".join(parts[0]), r"spf=\w+ \(")

    def test_modules_that_wait_for_spf(self):
        """whitelist, arc and reputation do; external_relay says who the client was before any of them looks."""
        more = """
whitelist { rules { WHITELIST_SPF { valid_spf = true; domains = ["pass.example"]; score = -1.0; } } }
external_relay { rules { RELAYED { strategy = "local"; } } }
reputation {
  servers = "127.0.0.1:1"; # wants a Redis, and does not use it
  rules { SPF_REP { selector "spf" { } backend "dns" { list = "reputation.example"; } symbol = "SPF_REP"; } }
}
arc { }
"""
        dns = self.dns(ZONE)
        one = self.rspamd(dns, filters="dkim", plugins=[
            "whitelist.lua", "external_relay.lua", "reputation.lua", "arc.lua"], more=more).start()
        self.assertNotRegex(one.log(), "cannot find dependency on symbol (SPF_CHECK|R_SPF)")
        self.assertLessEqual({"WHITELIST_SPF", "ARC_NA"}, set(one.symbols("ann@pass.example")))
        tokens = {name for name in dns.asked if name.endswith(".reputation.example")}
        self.assertEqual(len(tokens), 1, "one record")
        self.assertNotIn("WHITELIST_SPF", one.symbols("ann@pass.example", "198.51.100.1"))
        message = received(("inner.example", "10.0.0.5", "mx.receiver.example"),
                           ("helo.example", "192.0.2.1", "inner.example"))
        found = one.symbols("ann@pass.example", "10.0.0.5", "inner.example", message=message)
        self.assertLessEqual({"RELAYED", "R_SPF_ALLOW", "R_SPF_HELO_ALLOW", "WHITELIST_SPF"}, set(found))

    def test_result_by_http_header(self):
        """The stock module http_headers puts a condition on SPF_CHECK: what the client knows is not checked again."""
        one = self.rspamd(self.dns(ZONE), plugins=["http_headers.lua"], more="http_headers { }").start()
        found = one.symbols("ann@fail.example", SPF=json.dumps({"result": "pass"}))
        self.assertEqual(only(found), {"R_SPF_ALLOW": ["http header"]})


class Settings(rspamd.RspamdTest):
    def one(self, local, **options):
        return self.rspamd(self.dns(ZONE), "enabled = true;\n" + local, **options).start()

    def test_helo_off(self):
        self.assertEqual(set(only(self.one("helo = false;").symbols("ann@pass.example"))), {"R_SPF_ALLOW"})

    def test_check_local_and_authed(self):
        one = self.one("check_local = true; check_authed = true;")
        self.assertIn("R_SPF_FAIL", one.symbols("ann@pass.example", "10.1.2.3"))
        self.assertIn("R_SPF_ALLOW", one.symbols("ann@pass.example", User="ann"))

    def test_whitelist(self):
        for whitelist in ('["192.0.2.0/28", "2001:db8::/32"]', '"%s"'):
            with self.subTest(whitelist=whitelist):
                if "%s" in whitelist:
                    file = self.rspamd(self.dns({})).folder / "whitelist"
                    file.write_text("192.0.2.0/28\n2001:db8::/32\n")
                    whitelist %= file
                one = self.one(f"whitelist = {whitelist};")
                self.assertEqual(only(one.symbols("ann@fail.example", "192.0.2.1")), {})
                self.assertEqual(only(one.symbols("ann@fail.example", "2001:db8::5")), {})
                self.assertIn("R_SPF_FAIL", one.symbols("ann@fail.example", "192.0.2.99"))

    def test_relays(self):
        """The client is the first host in the Received fields that is none of ours, if they can be trusted so far."""
        one = self.one('external_relay = ["198.51.100.1", "198.51.100.2"];')
        us, relay, other = "mx.receiver.example", "198.51.100.1", "198.51.100.2"
        good, bad = ("helo.example", "192.0.2.1"), ("none.example", "203.0.113.9")
        for name, ip, hops, symbols in (
                ("no relay", "203.0.113.9", [], ("FAIL", "HELO_NA")),
                ("relay", relay, [("r.example", relay, us), (*good, "r.example")], ("ALLOW", "HELO_ALLOW")),
                ("two relays", relay,
                 [("r.example", relay, us), ("o.example", other, "r.example"), (*good, "o.example")],
                 ("ALLOW", "HELO_ALLOW")),
                ("relay, then local", "10.0.0.1",
                 [("i.example", "10.0.0.1", us), ("r.example", relay, "i.example"), (*good, "r.example")],
                 ("ALLOW", "HELO_ALLOW")),
                ("only the first is the client", relay, [("r.example", relay, us), (*bad, "r.example"), (*good, "bad")],
                 ("FAIL", "HELO_NA")),
                ("forged fields of a relay", "203.0.113.9",
                 [(*bad, us), ("r.example", relay, "bad"), (*good, "r.example")], ("FAIL", "HELO_NA")),
                ("relay without fields", relay, [], ("FAIL", "HELO_NA"))):
            with self.subTest(name=name):
                found = one.symbols("ann@pass.example", ip, "none.example", message=received(*hops))
                self.assertEqual(set(only(found)), {"R_SPF_" + symbol for symbol in symbols})

    def test_received_spf(self):
        one = self.one("received_spf = true;")
        answer = one.scan("ann@fail.example", MTA_Name="mx.receiver.example")
        field = answer["milter"]["add_headers"]["Received-SPF"]
        self.assertEqual(field["value"].replace("\n\t", " "),
                         "fail (mx.receiver.example: domain of ann@fail.example does not designate 192.0.2.1 as "
                         'permitted sender) client-ip=192.0.2.1; envelope-from="ann@fail.example"; helo=helo.example; '
                         "receiver=mx.receiver.example; identity=mailfrom; mechanism=-all;")
        self.assertEqual(field["order"], 1)
        for name in ("smtpd", "a b.example", "x.example;y"):
            field = one.scan("ann@fail.example", MTA_Name=name)["milter"]["add_headers"]["Received-SPF"]
            self.assertNotIn(name, field["value"])
        self.assertNotIn("Received-SPF", json.dumps(self.one("").scan("ann@fail.example")))

    def test_would_be(self):
        found = self.one("would_be = true;").symbols("ann@perm.example")
        self.assertEqual(found["R_SPF_PERMFAIL"][0::2], ["bad SPF record", "would be pass"])

    def test_libspf_s_own_settings(self):
        one = self.one('max_lookups = 1; resolver = "none"; zone = "FOLDER/zone"; receiver = "why";')
        one.stop()
        (one.folder / "zone").write_text(
            '$TTL 60\npass.example. TXT "v=spf1 include:a.example include:b.example -all"\n'
            'a.example. TXT "v=spf1 -all"\nb.example. TXT "v=spf1 -all"\n')
        file = one.folder / "local.d" / "libspf.conf"
        file.write_text(file.read_text().replace("FOLDER", str(one.folder)))
        one.start()
        self.assertIn("R_SPF_PERMFAIL", one.symbols("ann@pass.example"))

    def test_name_servers_of_rspamd(self):
        """Whom rspamd asks is asked, in all the ways that rspamd may be told."""
        dns = self.dns(ZONE)
        for servers in ('"%s:%d"', '["round-robin:%s:%d:1"]'):
            with self.subTest(servers=servers):
                one = self.rspamd(dns)
                text = one.file.read_text()
                setting = "nameserver = %s;" % servers % (dns.host, dns.port)
                one.file.write_text(re.sub(r"nameserver = \[.*?\];", setting, text))
                self.assertIn("R_SPF_ALLOW", one.start().symbols("ann@pass.example"))

    def test_a_result_for_other_rules(self):
        script = """
rspamd_config:register_symbol({name = 'READ_SPF', type = 'normal', score = 0, callback = function(task)
  local found = task:cache_get('libspf')
  return true, 1.0, {found.mailfrom.result, found.mailfrom.explanation, found.helo.result}
end})
rspamd_config:register_dependency('READ_SPF', 'SPF_CHECK')
"""
        one = self.one("", scripts={"reader": script})
        self.assertEqual(one.symbols("ann@fail.example")["READ_SPF"],
                         ["fail", "192.0.2.1 is not one of fail.example's hosts", "pass"])


    def test_mail_that_is_refused(self):
        """By the rule in the README."""
        script = re.search(r"^```lua\n(rspamd_config:register_symbol.*?)^```", README, flags=re.M | re.S).group(1)
        one = self.one("", scripts={"refuse": script})
        answer = one.scan("ann@fail.example")
        self.assertEqual(answer["action"], "reject")
        said = answer["messages"]["smtp_message"]
        self.assertTrue(said.endswith("The domain fail.example explains: 192.0.2.1 is not one of fail.example's hosts"), said)
        self.assertNotIn("\n", said)
        for sender in ("ann@pass.example", "ann@temp.example", "ann@softfail.example"):
            self.assertEqual(one.scan(sender)["action"], "no action")


class Misconfiguration(rspamd.RspamdTest):
    def test_config_test_tells_what_to_mend(self):
        dns = self.dns({})
        for local, expected in (
                ("tiemout = 5s;", 'unknown setting "tiemout"; there are asynchronous, blocking_timeout, .*zone'),
                ("timeout = soon;", 'timeout: "soon" where a time from 1ms to 10min is wanted'),
                ("timeout = 1h;", "timeout: 3600 where a time from"),
                ("helo = 7;", "helo: 7 where true or false is wanted"),
                ("asynchronous = maybe;", 'asynchronous: "maybe" where true, false or "auto" is wanted'),
                ("symbols { pass = X }", 'unknown key "pass" in symbols; there are allow, check, dnsfail'),
                ("symbols { allow = 7 }", "symbols: allow: 7 where the name of a symbol"),
                ("symbols = x;", 'symbols: "x" where a section is wanted'),
                ("whitelist = 7;", "whitelist: 7 where a list of networks"),
                ("max_lookups = 11;", 'max_lookups: "11" is no whole number from 1 to 10;'),
                ("resolver = \"dns.example\";", 'resolver: "dns.example" is neither system'),
                ("trust_anchor = \"/nonexistent\";", "/nonexistent"), ("config = \"/nonexistent\";", "/nonexistent"),
                ("spf_cache_size = 2k;", '"spf_cache_size" is a setting of the stock module; here record_cache'),
                ("disable_ipv6 = true;", '"disable_ipv6" is a setting of the stock module')):
            with self.subTest(local=local):
                one = self.rspamd(dns, "enabled = true;\n" + local)
                is_content, said = one.test_config()
                self.assertFalse(is_content, said)
                self.assertRegex(said, "libspf: .*" + expected)

    def test_defaults_and_example_are_right(self):
        example = (rspamd.PLUGIN / "local.d" / "libspf.conf").read_text()
        commented = re.sub(r"^# ((?:  )?[a-z_]+ (?:= .*;|\{)|\})$", r"\1", example, flags=re.M)
        commented = re.sub(r"^(whitelist|zone|trust_anchor|config) = \"/.*\n", "", commented, flags=re.M)
        self.assertGreater(commented.count("\n"), 90)
        for local in (example, commented, "enabled = true;"):
            one = self.rspamd(self.dns({}), local)
            is_content, said = one.test_config()
            self.assertTrue(is_content, said)
            self.assertNotIn("libspf:", said)

    def test_every_setting_is_in_the_example_and_in_the_readme(self):
        one = self.rspamd(self.dns({}), "enabled = true; nonsense = 1;")
        known = re.search(r'unknown setting "nonsense"; there are ([\w, ]+)', one.test_config()[1]).group(1).split(", ")
        self.assertGreater(len(known), 20)
        example = (rspamd.PLUGIN / "local.d" / "libspf.conf").read_text()
        for key in known:
            with self.subTest(key=key):
                self.assertRegex(example, rf"(?m)^(# )?{key}( =| \{{)")
                self.assertIn(f"`{key}`", README)

    def test_not_enabled_unless_told(self):
        one = self.rspamd(self.dns(ZONE), None, stock="true").start()
        self.assertEqual(only(one.symbols("ann@pass.example")), {"R_SPF_ALLOW": ["+ip4:192.0.2.0/24"]})

    def test_beside_the_stock_module(self):
        """Only with names of its own, for all symbols but the HELO name's: those of the README."""
        dns = self.dns(ZONE)
        is_content, said = self.rspamd(dns, stock="true").test_config()
        self.assertFalse(is_content)
        self.assertRegex(said, r"libspf: the module spf has the symbol \w+ too: either set enabled = false in the "
                               "section spf")
        local = re.search(r"^```ucl\n(# local\.d/libspf\.conf\n.*?)^```", README, flags=re.M | re.S).group(1)
        one = self.rspamd(dns, local, stock="true", filters="dkim", plugins=["dmarc.lua"]).start()
        found = one.symbols("ann@perm.example")
        self.assertLessEqual({"LIBSPF_PERMFAIL", "R_SPF_ALLOW", "R_SPF_HELO_ALLOW", "DMARC_NA"}, set(found))


class Installation(rspamd.RspamdTest):
    def test_as_the_readme_says(self):
        """Its commands, on a copy of the configuration that Debian's rspamd comes with; errors keep it from reloading."""
        one = self.rspamd(self.dns({}))
        folder = one.folder / "etc"
        shutil.copytree(rspamd.CONFIG, folder)
        (folder / "local.d" / "options.inc").write_text('filters = "dkim";')  # fuzzy_check asks for names on the Internet
        commands = re.search(r"^## Install\n.*?\n    cmake --install .*?\n(.*?)\n\n", README, flags=re.M | re.S).group(1)
        for text, here in (("/usr/local/share/libspf/rspamd", str(rspamd.PLUGIN)), ("/etc/rspamd", str(folder)),
                           ("rspamadm configtest", f"rspamadm --var=CONFDIR={folder} --var=LOCAL_CONFDIR={folder} "
                                                   f"configtest -c {folder}/rspamd.conf"),
                           ("systemctl reload rspamd", "echo reloaded")):
            self.assertIn(text, commands)
            commands = commands.replace(text, here)
        for wrong, said in (("", "reloaded\n"), ("; tiemout = 5s", 'libspf: unknown setting "tiemout"')):
            done = subprocess.run(["/bin/sh", "-c", commands.replace("enabled = true", "enabled = true" + wrong)],
                                  env=one.environment, capture_output=True, text=True, timeout=rspamd.STEP_S, check=True)
            with self.subTest(wrong=wrong):
                self.assertIn(said, done.stdout, done.stderr)
                self.assertEqual("reloaded" in done.stdout, not wrong)


class Fallback(rspamd.RspamdTest):
    """Where a check cannot wait in the event loop, it holds the worker up, but not for long."""

    def test_results_are_the_same(self):
        one = self.rspamd(self.dns(ZONE), "enabled = true; asynchronous = false;").start()
        for name, (symbol, score, option) in {**RESULTS, **OTHERS}.items():
            found = only(one.scan(f"ann@{name}.example", helo="helo.example")["symbols"])
            with self.subTest(name=name):
                self.assertEqual(set(found), {symbol, "R_SPF_HELO_ALLOW"})
                self.assertEqual((found[symbol]["score"], found[symbol]["options"][0]), (score, option))

    def test_time_is_bounded(self):
        one = self.rspamd(self.dns(ZONE, mode="silent"),
                          "enabled = true; asynchronous = false; blocking_timeout = 0.2s; helo = false;").start()
        found = one.symbols("ann@pass.example")
        self.assertEqual(list(only(found)), ["R_SPF_DNSFAIL"])
        self.assertIn("time allowed for the whole check is over", found["R_SPF_DNSFAIL"][1])

    def test_an_rspamd_without_the_functions(self):
        """Told by a module that says so: auto does without, with a warning; true is an error."""
        script = "package.loaded['libspf.rspamd'] = {available = function() return false, 'missing symbol ev_once' end}"
        for local, is_right in (("", True), ("asynchronous = false;", True), ("asynchronous = true;", False)):
            one = self.rspamd(self.dns(ZONE), "enabled = true;" + local)
            (one.folder / "early.lua").write_text(script)
            one.file.write_text(f'lua = "{one.folder}/early.lua";\n' + one.file.read_text())
            is_content, said = one.test_config()
            with self.subTest(local=local):
                if not is_right:
                    self.assertFalse(is_content)
                    self.assertIn("libspf: asynchronous: checks cannot wait in this rspamd's event loop: missing "
                                  "symbol ev_once", said)
                    continue
                one.start()
                self.assertIn("R_SPF_ALLOW", one.symbols("ann@pass.example"))
                warning = ("libspf: checks cannot wait in this rspamd's event loop (missing symbol ev_once): each "
                           "holds its worker up for at most 2 seconds")
                self.assertEqual(warning in one.log(), not local)

    def test_missing_symbols(self):
        """In a program that is not rspamd the module says what is missing."""
        one = self.rspamd(self.dns(ZONE))
        script = ("local r = require 'libspf.rspamd' print(r.available()) print(pcall(r.start, io.stdout, {}, print)) "
                  "print(r.pending())")
        done = subprocess.run(["luajit", "-e", script], env=one.environment, capture_output=True, text=True,
                              timeout=rspamd.STEP_S, check=False)
        self.assertEqual(done.stdout.split("\n")[0], "false\tmissing symbol ev_once", done.stderr)
        self.assertRegex(done.stdout,
                         "false\tlibspf.rspamd works in rspamd only: there is no ev_once in this process\n0\t0")


if __name__ == "__main__":
    rspamd.main()
