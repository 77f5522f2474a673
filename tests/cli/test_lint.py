#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spf lint` as its users meet it: text with carets, fixes, JSON, SARIF, exit statuses, wrong calls."""
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
good IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc IN TXT "v=DMARC1; p=none"
open IN TXT "v=spf1 ip4:192.0.2.0/24 +all"
bad IN TXT "v=spf1 ipv4:192.0.2.1 include:missing.example.com -all"
semicolon IN TXT "v=spf1; ip4:192.0.2.1 -all"
twice IN TXT "v=spf1 mx -all"
twice IN TXT "v=spf1 a -all"
outer IN TXT "v=spf1 include:inner.example.com -all"
inner IN TXT "v=spf1 ip4:192.0.2.0/33 -all"
"""


class Lint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.zone = pathlib.Path(cls.folder.name) / "zone"
        cls.zone.write_text(ZONE)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_spf(self, *arguments, text=None):
        return subprocess.run([SPF, "lint", "--zone", self.zone, *map(str, arguments)], input=text,
                              capture_output=True, text=True, timeout=60, check=False)

    def codes(self, *arguments):
        done = self.run_spf("--json", *arguments)
        self.assertEqual(done.stderr, "")
        return [remark["code"] for remark in json.loads(done.stdout)["remarks"]]

    def test_nothing_to_remark(self):
        done = self.run_spf("good.example.com")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "good.example.com: nothing to remark\n", ""))

    def test_caret_and_fix(self):
        done = self.run_spf("bad.example.com")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r'^error: "ipv4:192.0.2.1" misspells .*\[misspelt-mechanism, RFC 7208 section 4.6.2\]$')
        self.assertEqual(lines[1], "    v=spf1 ipv4:192.0.2.1 include:missing.example.com -all")
        self.assertEqual(lines[2], "           ^~~~~~~~~~~~~~")
        self.assertEqual(lines[3], '    fix: Write "ip4:192.0.2.1".')
        self.assertIn("target-no-record", done.stdout)
        self.assertEqual(lines[-1], "bad.example.com: 2 errors")

    def test_long_record_is_shown_around_the_place(self):
        record = "v=spf1 %s foo:x %s -all" % (" ".join("ip4:192.0.2.%d" % i for i in range(1, 250, 8)),
                                            " ".join("ip4:198.51.100.%d" % i for i in range(1, 250, 8)))
        done = self.run_spf("--offline", "--severity", "error", record)
        shown, marks = done.stdout.splitlines()[1:3]
        self.assertEqual((done.returncode, shown[:7], shown[-3:]), (1, "    ...", "..."))
        self.assertEqual(shown[marks.index("^"):marks.index("^") + 5], "foo:x")
        self.assertLessEqual(len(shown), 100)

    def test_other_records_are_named(self):
        done = self.run_spf("outer.example.com")
        self.assertEqual(done.returncode, 1)
        self.assertIn("in the record of inner.example.com:\n", done.stdout)

    def test_exit_statuses(self):
        for arguments, status in (
                (["good.example.com"], 0),
                (["open.example.com"], 0),
                (["--strict", "open.example.com"], 2),
                (["--strict", "good.example.com"], 0),
                (["--strict", "v=spf1 +ip4:192.0.2.1 -all"], 0),
                (["bad.example.com"], 1),
                (["twice.example.com"], 1),
                (["missing.example.com"], 1),
                (["good.example.com", "bad.example.com", "good.example.com"], 1),
                (["--strict", "open.example.com", "good.example.com"], 2),
                (["v=spf1 -all"], 0),
                (["--resolver", "127.0.0.1@1", "--timeout", "0.3", "other.example"], 5),
                (["--resolver", "127.0.0.1@1", "--timeout", "0.3", "other.example", "v=spf1 foo -all"], 1)):
            done = self.run_spf(*arguments)
            self.assertEqual((done.returncode, done.stderr), (status, ""), arguments)

    def test_severity_leaves_out_the_rest(self):
        record = "v=spf1 +ip4:192.0.2.1 foo ?all"
        for word, expected in (("error", 1), ("warning", 2), ("advice", 3)):
            lines = self.run_spf("--offline", "--severity", word, record).stdout.splitlines()
            self.assertEqual(sum(line.split(":")[0] in ("error", "warning", "advice") for line in lines), expected)
            done = self.run_spf("--offline", "--json", "--severity", word, record)
            self.assertEqual(len(json.loads(done.stdout)["remarks"]), expected)

    def test_fix(self):
        for record, fixed in (("v=spf1; ipv4:192.0.2.1, -all", "v=spf1 ip4:192.0.2.1 -all"),
                              ("v=spf1 ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1 -all"),
                              ("v=spf1 include:<a.example> -all", "v=spf1 include:a.example -all"),
                              ('"v=spf1 ip4:192.0.2.1" "include:a.example -all"',
                               "v=spf1 ip4:192.0.2.1 include:a.example -all")):
            done = self.run_spf("--offline", "--fix", record)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, fixed + "\n", ""))
        done = self.run_spf("--fix", "semicolon.example.com")
        self.assertEqual((done.returncode, done.stdout), (0, "v=spf1 ip4:192.0.2.1 -all\n"))
        for subject in ("v=spf1 foo -all", "v=spf1 include:a..b.example -all", "twice.example.com",
                        "missing.example.com"):
            done = self.run_spf("--fix", subject)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("not certain", done.stderr)

    def test_a_name_is_read_in_any_form(self):
        done = self.run_spf("BAD.example.com.")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("in the record of", done.stdout)

    def test_zone_lines(self):
        for text in ('good.example.com. 300 IN TXT "v=spf1 ip4:192.0.2.1" " -all"\n',
                     'good.example.com. IN TXT ( "v=spf1 ip4:192.0.2.1" ; ours\n " -all" )\n',
                     'good.example.com descriptive text "v=spf1 ip4:192.0.2.1 -all"\n'):
            done = self.run_spf("--offline", "--file", "-", text=text)
            self.assertEqual((done.returncode, done.stdout), (0, "-: nothing to remark\n"), text)

    def test_records_from_files(self):
        path = pathlib.Path(self.folder.name) / "record"
        path.write_text('( "v=spf1 ip4:192.0.2.1 "\n  "%s" )\n' % ("x" * 256))
        done = self.run_spf("--offline", "--file", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("[long-string, RFC 7208 section 3.3]", done.stdout)
        done = self.run_spf("--file", "-", "--domain", "good.example.com", text="v=spf1 include:missing.example.com -all\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("[target-no-record, ", done.stdout)

    def test_offline_asks_nothing(self):
        self.assertEqual(self.codes("--offline", "v=spf1 include:missing.example.com -all"), [])
        self.assertEqual(self.codes("v=spf1 include:missing.example.com -all"), ["target-no-record"])

    def test_json(self):
        done = self.run_spf("--json", "bad.example.com", "v=spf1 ip4:192.0.2.1 -all")
        first, second = map(json.loads, done.stdout.splitlines())
        self.assertEqual(done.returncode, 1)
        remark = first["remarks"][0]
        self.assertEqual({key: remark[key] for key in ("severity", "code", "offset", "length", "replacement")},
                         {"severity": "error", "code": "misspelt-mechanism", "offset": 7, "length": 14,
                          "replacement": "ip4:192.0.2.1"})
        self.assertEqual(first["fixed_record"], "v=spf1 ip4:192.0.2.1 include:missing.example.com -all")
        self.assertEqual((second["remarks"], second["fixed_record"]), ([], None))

    def test_sarif(self):
        done = self.run_spf("--sarif", "bad.example.com", "v=spf1 ip4:192.0.2.1 foo ?all", "good.example.com")
        log = json.loads(done.stdout)
        self.assertEqual((done.returncode, log["version"], len(log["runs"])), (1, "2.1.0", 1))
        self.assertEqual(log["runs"][0]["invocations"], [{"executionSuccessful": True}])
        results = log["runs"][0]["results"]
        rules = log["runs"][0]["tool"]["driver"]["rules"]
        self.assertEqual([(result["ruleId"], result["level"]) for result in results],
                         [("misspelt-mechanism", "error"), ("target-no-record", "error"),
                          ("unknown-mechanism", "error"), ("neutral-all", "warning")])
        for result in results:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
        place = results[0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "dns:bad.example.com?type=TXT")
        self.assertEqual(place["region"], {"startLine": 1, "startColumn": 8, "endLine": 1, "endColumn": 22})
        self.assertEqual(rules[0]["helpUri"], "https://www.rfc-editor.org/rfc/rfc7208.html#section-4.6.2")
        change = results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]
        self.assertEqual(change["insertedContent"]["text"], "ip4:192.0.2.1")
        self.assertEqual(results[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "record")

    def test_sarif_tells_what_could_not_be_linted(self):
        done = self.run_spf("--sarif", "--file", "/nonexistent")
        self.assertEqual(done.returncode, 64)
        self.assertEqual(json.loads(done.stdout)["runs"][0]["invocations"], [{"executionSuccessful": False}])

    def test_sarif_names_files(self):
        path = pathlib.Path(self.folder.name) / "my record"
        path.write_text("v=spf1 foo -all\n")
        log = json.loads(self.run_spf("--sarif", "--offline", "--file", path).stdout)
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], str(path).replace(" ", "%20"))

    def test_sarif_counts_characters_and_lines(self):
        region = self.sarif_result("v=spf1 \u00e9 ipv4:192.0.2.1 -all", 1)["locations"][0]["physicalLocation"]["region"]
        self.assertEqual(region, {"startLine": 1, "startColumn": 10, "endLine": 1, "endColumn": 24})
        region = self.sarif_result("v=spf1 a\n ipv4:192.0.2.1 -all", 1)["locations"][0]["physicalLocation"]["region"]
        self.assertEqual(region, {"startLine": 2, "startColumn": 2, "endLine": 2, "endColumn": 16})

    def test_sarif_has_no_places_in_joined_strings(self):
        result = self.sarif_result('"v=spf1 ipv4:192" ".0.2.1 -all"', 0)
        self.assertEqual(result["ruleId"], "misspelt-mechanism")
        self.assertNotIn("region", result["locations"][0]["physicalLocation"])
        self.assertNotIn("fixes", result)

    def sarif_result(self, record, index):
        return json.loads(self.run_spf("--sarif", "--offline", record).stdout)["runs"][0]["results"][index]

    def test_little_is_left_out_of_a_record(self):
        record = "v=spf1 foo:x ip4:192.0.2.1 include:%s.example.com -all"
        for octets, is_cut in ((34, False), (38, False), (39, False), (40, True)):
            shown = self.run_spf("--offline", record % ("a" * (octets - 12))).stdout.splitlines()[1]
            self.assertEqual(shown.endswith("..."), is_cut, shown)

    def test_colors(self):
        plain = self.run_spf("bad.example.com").stdout
        colored = self.run_spf("--color", "always", "bad.example.com").stdout
        self.assertNotIn("\033", plain)
        self.assertEqual(colored.replace("\033[1;31m", "").replace("\033[0m", ""), plain)

    def test_hostile_text_stays_printable(self):
        done = self.run_spf("--offline", "v=spf1 \x1b[31m\u00e9\t\x07 -all")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([octet for octet in done.stdout if octet < " " and octet != "\n"], [])

    def test_wrong_calls(self):
        for arguments, words in (([], "is missing"), (["--fix", "--json", "v=spf1"], "only one"),
                                 (["--severity", "note", "v=spf1"], "error, warning, advice"),
                                 (["--file", "/nonexistent"], "cannot read"),
                                 (["--frobnicate"], "--sarif"), (["ann@example.com"], '"example.com"'),
                                 (["a" * 64 + ".example"], "a" * 60)):
            done = self.run_spf(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""), arguments)
            self.assertIn(words, done.stderr)

    def test_help_lists_the_options(self):
        done = subprocess.run([SPF, "help", "lint"], capture_output=True, text=True, timeout=60, check=True)
        for option in ("--fix", "--strict", "--sarif", "--offline", "--zone"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    unittest.main()
