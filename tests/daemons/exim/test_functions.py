#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The functions one by one, with `exim -be`: arguments, yields, misuse, taint, and what a hostile zone says."""
import re
import subprocess

import exim
from exim import call
from dns_server import DnsServer, Zone

ZONE = {
    "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "fail.example": {"TXT": ["v=spf1 exp=why.fail.example -all"]},
    "why.fail.example": {"TXT": ['No "mail" for %{s} \\ $primary_hostname ${run{/bin/false}}']},
    "redirect.example": {"TXT": ["v=spf1 redirect=fail.example"]},
    "include.example": {"TXT": ["v=spf1 include:pass.example include:fail.example a:void.example ~all"]},
    "hosts.example": {"A": ["192.0.3.1"], "MX": [(10, "hosts.example")]},
    "helo.example": {"TXT": ["v=spf1 -all"]},
}
FUNCTIONS = {"spf", "spf_helo", "spf_best_guess", "spf_reason", "spf_detail", "spf_received_header", "spf_authres",
             "spf_resinfo", "spf_reply", "spf_explanation", "spf_trace", "spf_config"}
CHECKS = sorted(FUNCTIONS - {"spf_config"})
# What Exim and libspf2 export, or other Exims built so that all their data is.
TAKEN = {"spf_result", "spf_request", "spf_server", "spf_response", "spf_received", "spf_guess", "spf_result_guessed",
         "spf_header_comment", "spf_smtp_comment", "spf_used_domain", "spf_smtp_comment_template", "spf_response_2mx"}
FAIL = ("192.0.2.9", "ann@fail.example", "helo.example")
PASS = ("192.0.2.1", "ann@pass.example", "helo.example")


def exported(file):
    symbols = subprocess.run(["nm", "-D", "--defined-only", file], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in symbols.splitlines()}


class Functions(exim.EximTest):
    def setUp(self):
        self.zone = Zone(ZONE)
        self.dns = DnsServer(self.zone)
        self.addCleanup(self.dns.stop)
        self.local = self.exim([f"resolver: {self.dns.resolver}", "timeout: 10"])

    def expand(self, *expressions):
        return self.local.expand(*expressions)

    def one(self, *call_):
        return self.expand(call(*call_))[0]

    def test_exported_names(self):
        names = exported(self.local.plugin)
        self.assertEqual(names, FUNCTIONS)
        self.assertFalse(names & (exported(exim.EXIM) | exported("/lib/libspf2.so.2") | TAKEN))

    def test_yields(self):
        for expected, *arguments in (
                ("pass", "spf", *PASS), ("fail", "spf", *FAIL), ("fail", "spf_helo", *PASS),
                ("fail", "spf", *PASS, "helo"), ("pass", "spf", *PASS, "mailfrom"), ("pass", "spf", *PASS, "MailFrom"),
                ("softfail", "spf", *PASS, "v=spf1 ~all"), ("permerror", "spf", *PASS, "v=spf1 foo"),
                ("fail", "spf_best_guess", "192.0.2.9", "ann@pass.example", "helo.example", "v=spf1 +all"),
                ("softfail", "spf_best_guess", "192.0.2.9", "ann@hosts.example", "helo.example", "v=spf1 ~all"),
                ("softfail", "spf_best_guess", "192.0.2.9", "ann@nowhere.example", "helo.example", "v=spf1 ~all"),
                ("neutral", "spf_best_guess", "192.0.2.9", "ann@hosts.example", "helo.example"),
                ("pass", "spf_best_guess", "192.0.3.9", "ann@hosts.example", "helo.example"),
                ("fail", "spf", "::ffff:192.0.2.9", *PASS[1:]), ("none", "spf", "192.0.2.1", "", "[192.0.2.1]"),
                ("pass", "spf", "192.0.2.1", "<>", "pass.example"), ("none", "spf", "192.0.2.1", "", "")):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.one(*arguments), expected)

    def test_texts(self):
        explained = 'No "mail" for ann@fail.example \\ $primary_hostname ${run{/bin/false}}'
        texts = dict(zip(CHECKS, self.expand(*(call(name, *FAIL) for name in CHECKS))))
        self.assertEqual(texts["spf_explanation"], explained)
        self.assertRegex(texts["spf_reason"], r"^no term of fail\.example's record before -all .* matches 192\.0\.2\.9")
        self.assertTrue(texts["spf_received_header"].startswith(f"Received-SPF: fail ({exim.HOSTNAME}: "))
        self.assertTrue(texts["spf_authres"].startswith(f"Authentication-Results: {exim.HOSTNAME}; spf=fail "))
        self.assertTrue(texts["spf_resinfo"].startswith("spf=fail "))
        self.assertEqual(texts["spf_trace"].split("\n")[:2],
                         ["fail.example: v=spf1 exp=why.fail.example -all", "  -all: match"])
        for name in ("spf_received_header", "spf_authres", "spf_resinfo"):
            for line in texts[name].split("\n")[1:]:
                self.assertTrue(line.startswith("\t"), texts[name])

    def test_reply_has_its_code_in_every_line_that_exim_does_not_break(self):
        self.zone.add("why.fail.example", {"TXT": ["word " * 60 + "https://fail.example/" + "x" * 120]})
        for arguments, code in ((FAIL, "5.7.23 "), ((*PASS, "v=spf1 foo"), "5.7.24 "), (PASS, ""),
                                ((*FAIL, "v=spf1 ~all"), "")):
            lines = self.one("spf_reply", *arguments).split("\n")
            for line in lines:
                self.assertRegex(line, "^" + code + "[^0-9]")
                self.assertTrue(len(line) < 75 or " " not in line[len(code):], lines)
                self.assertEqual(line.strip(), line)

    def test_detail_is_read_by_extract(self):
        detail = self.one("spf_detail", *FAIL)
        keys = re.findall(r'(?:^| )(\w+)="(?:[^"\\]|\\.)*"', detail)
        self.assertGreater(len(keys), 15)
        self.assertEqual(len(keys), len(set(keys)), detail)
        expected = {"result": "fail", "cause": "match", "code": "550", "enhanced": "5.7.23", "domain": "fail.example",
                    "term": "-all", "lookups": "0", "voids": "0", "ip": "192.0.2.9", "sender": "ann@fail.example",
                    "helo": "helo.example", "identity": "mailfrom", "checked": "fail.example", "dnssec": "insecure",
                    "target": "",
                    "explanation": 'No "mail" for ann@fail.example \\ $primary_hostname ${run{/bin/false}}'}
        values = self.expand(*("${extract{%s}{%s}{$value}{no such key}}" % (key, call("spf_detail", *FAIL))
                               for key in [*expected, "reason", "ttl", "ms", "queries", "other"]))
        self.assertEqual(dict(zip(expected, values)), expected)
        reason, ttl, milliseconds, queries, other = values[len(expected):]
        self.assertRegex(reason, "^no term of fail.example's record")
        self.assertRegex(ttl, "^(300|29[0-9])$")
        self.assertRegex(milliseconds + queries, "^[0-9]+$")
        self.assertEqual(other, "no such key")
        counted = ("192.0.2.9", "ann@include.example", "helo.example")
        self.assertEqual(self.expand(*("${extract{%s}{%s}}" % (key, call("spf_detail", *counted))
                                       for key in ("result", "lookups", "voids", "code", "enhanced"))),
                         ["softfail", "3", "1", "250", "2.7.0"])

    def test_every_octet_comes_through_extract(self):
        """Of a sender, and of the explanation that repeats it."""
        octets = [*(bytes([octet]) for octet in range(1, 256)), b"\\\"", b"a b", b"${primary_hostname}", b"' ' =",
                  b"\\\\",
                  b"x=\"y\" result=\"pass\"", b"\xc3\xa9", b"\\n"]
        calls = []
        for octet in octets:
            detail = call("spf_detail", "192.0.2.9", b"a" + octet + b"z@fail.example", "h.example")
            calls += ["${extract{sender}{%s}}" % detail, "${extract{result}{%s}}" % detail,
                      "${extract{helo}{%s}}" % detail, "${extract{explanation}{%s}}" % detail]
        answers = self.expand(*calls)
        for at, octet in enumerate(octets):
            sender, result, helo, explanation = answers[4 * at:4 * at + 4]
            with self.subTest(octet=octet):
                self.assertEqual((result, helo), ("fail", "h.example"))
                printable = b"".join(bytes([one]) if 32 <= one < 127 else b"?" for one in octet)
                shown = "\u00e9" if octet == b"\xc3\xa9" else printable.decode()
                self.assertEqual(sender, f"a{shown}z@fail.example")
                if printable == octet:
                    self.assertIn(f" a{shown}z@fail.example ", explanation)

    def test_misuse_fails_and_says_what_to_mend(self):
        broken, zone = self.local.folder / "broken.conf", self.local.folder / "zone.conf"
        broken.write_text("timeout: soon\n")
        zone.write_text("resolver: none\nzone: /nonexistent/zone\n")
        for function, *arguments, message in (
                ("spf", "192.0.2.1", "2 arguments|1 argument.*client address, sender and HELO"),
                ("spf", "192.0.2.1", "a@b.example", "2 arguments.*client address, sender and HELO"),
                ("spf", *PASS, "nonsense", '"nonsense".*"helo", "mailfrom" or a policy'),
                ("spf", *PASS, "x\r\ny", r'"x\?\?y"'), ("spf", *PASS, "helo", "x", "5 arguments"),
                ("spf", *PASS, "helo", "x", "y", "z", "7 arguments"),
                ("spf_helo", *PASS, "helo", "4 arguments"), ("spf_best_guess", *PASS, "helo", "a policy"),
                ("spf", "mail.example", *PASS[1:], '"mail.example".*192.0.2.1'),
                ("spf", "192.0.2.1%eth0", *PASS[1:], "192.0.2.1%eth0"), ("spf", "fe80::1%2", *PASS[1:], "fe80::1%2"),
                ("spf", "192.0.2.1\r\nX: y", *PASS[1:], r"192\.0\.2\.1\?\?X: y"),
                ("spf_config", "libspf.conf", "absolute"), ("spf_config", "/a", "/b", "one argument"),
                ("spf_config", "/nonexistent/libspf.conf", "/nonexistent/libspf.conf.*No such file"),
                ("spf_config", str(broken), r"broken.conf.*1.*timeout.*soon"),
                ("spf_config", str(zone), r"/nonexistent/zone")):
            with self.subTest(function=function, arguments=arguments):
                answer = self.one(function, *arguments)
                self.assertRegex(answer, f"^Failed: {function}: .*({message})")
                self.assertRegex(answer, r"^[ -~]+$")

    def test_eight_arguments_are_survived(self):
        """Exim 4.96 hands on a wrong count and a short vector."""
        self.assertTrue(self.one("spf", *PASS, *"45678").startswith("Failed: spf: "))

    def test_no_client_is_an_answer(self):
        words = dict(zip(CHECKS, self.expand(*(call(name) for name in CHECKS))))
        for name in ("spf", "spf_helo", "spf_best_guess"):
            self.assertEqual(words[name], "none")
        for name in ("spf_explanation", "spf_trace"):
            self.assertEqual(words[name], "")
        resinfo = 'spf=none\n\treason="%s"' % words["spf_reason"]
        self.assertEqual(words["spf_received_header"], "Received-SPF: none\n\t(%s)" % words["spf_reason"])
        self.assertEqual(words["spf_authres"], f"Authentication-Results: {exim.HOSTNAME}; {resinfo}")
        self.assertEqual(words["spf_resinfo"], resinfo)
        self.assertIn("did not come over the network", words["spf_reason"])
        self.assertIn("did not come over the", words["spf_reply"])
        self.assertIn('result="none"', words["spf_detail"])
        self.assertEqual(self.one("spf", "", *PASS[1:]), "none")

    def test_configuration(self):
        other = self.local.folder / "other.conf"
        other.write_text("resolver: none\nexplanation: own words\n")
        first = str(self.local.folder / "libspf.conf")
        self.assertEqual(self.expand(call("spf_config"), call("spf", *PASS), call("spf_config", first),
                                     call("spf", *PASS), call("spf_config", str(other)), call("spf_config"),
                                     call("spf", *PASS), call("spf_explanation", *PASS, "v=spf1 -all"),
                                     call("spf_config", first), call("spf", *PASS)),
                         [first, "pass", "", "pass", "", str(other), "none", "own words", "", "pass"])
        self.assertEqual(self.local.expand(call("spf_config"), config=False), [""])

    def test_the_same_question_is_asked_once(self):
        self.dns.ttl_s = 0
        names = [name for name in CHECKS if name != "spf_best_guess"]  # asks for other records of the same names
        self.expand(*(call(name, *PASS) for name in names * 3), call("spf", "192.0.2.2", *PASS[1:]))
        self.assertEqual(self.dns.asked.count("pass.example"), 2)
        self.assertEqual(self.dns.asked.count("helo.example"), 1)

    def test_many_questions_in_one_process(self):
        many = [call("spf", "192.0.2.%d" % (n % 100), "ann@pass.example", "h%d.example" % n) for n in range(200)]
        self.assertEqual(self.expand(*many), ["pass" if n % 100 == 1 else "fail" for n in range(200)])


class Hostile(exim.EximTest):
    """What strangers write is bounded, without control characters, and starts no new line, header or key."""

    HEADERS = ("spf_received_header", "spf_authres", "spf_resinfo")
    PAYLOADS = [b"a\r\nX-Injected: yes", b"a\nX-Injected: yes", b"a\0b", b"\x01\x02\x1b[31m\x7f", b"caf\xc3\xa9",
                b"\xff\xfe\x80\xa0", b"x" * 10240, b"word " * 2048, b"\\n\\r\"${run{/bin/false}}", b"a; result=pass (",
                b"%%%{i}%{s}%{h}%{r}%{c}%{t}" * 80, b"\n.\r\n250 OK\r\n", b"\xc2\x85\xe2\x80\xa8"]

    def setUp(self):
        self.zone = Zone({"hostile.example": {"TXT": ["v=spf1 exp=why.hostile.example -all"]},
                          "odd.example": {"TXT": ["v=spf1 include:%{l}.odd.example -all"]}})
        self.dns = DnsServer(self.zone)
        self.addCleanup(self.dns.stop)
        self.local = self.exim([f"resolver: {self.dns.resolver}"], main="acl_smtp_mail = acl_mail", acl="""
acl_mail:
  warn  add_header = ${dlfunc{LIBSPF}{spf_received_header}}
        add_header = ${dlfunc{LIBSPF}{spf_authres}}
        add_header = X-Detail: ${dlfunc{LIBSPF}{spf_detail}}
        logwrite   = ${dlfunc{LIBSPF}{spf_trace}}
        logwrite   = ${dlfunc{LIBSPF}{spf_detail}}
  deny  condition  = ${if eq{$sender_helo_name}{refuse.example}}
        message    = ${dlfunc{LIBSPF}{spf_reply}}
  accept
""")

    def check_clean(self, answer, name):
        self.assertLessEqual(len(answer.encode()), 30000 if name in self.HEADERS else 8000)
        if name in self.HEADERS:
            answer = answer.replace("\n\t", "")
        elif name in ("spf_reply", "spf_trace"):
            answer = answer.replace("\n", "")
        self.assertNotRegex(answer, "[\x00-\x1f\x7f-\x9f]")
        if name == "spf_detail":
            self.assertRegex(answer, r'^(\w+="([^"\\]|\\.)*"( |$))+$')

    def test_texts_of_hostile_zones(self):
        for at, payload in enumerate(self.PAYLOADS):
            # A policy of its own for each, for answers are kept.
            self.zone.add(f"p{at}.example", {"TXT": [f"v=spf1 exp=why{at}.example -all"]})
            self.zone.add(f"why{at}.example", {"TXT": [payload]})
            self.zone.add(f"r{at}.example", {"TXT": [b"v=spf1 a:" + payload + b" -all"]})
            self.zone.add(f"m{at}.example", {"TXT": [b"v=spf1 " + payload]})
        names = sorted({"spf_reason", "spf_detail", "spf_received_header", "spf_authres", "spf_resinfo", "spf_reply",
                        "spf_explanation", "spf_trace", "spf"})
        questions = []
        for at, payload in enumerate(self.PAYLOADS):
            text = payload.replace(b"\0", b"?")
            for sender, helo in ((f"ann@p{at}.example", "h.example"), (f"ann@r{at}.example", "h.example"),
                                 (f"ann@m{at}.example", "h.example"), (text + b"@p%d.example" % at, "h.example"),
                                 ("ann@" + text.decode("latin-1"), "h.example"), (text + b"@odd.example", text),
                                 ("", text)):
                questions += [(name, sender, helo) for name in names]
        answers = self.local.expand(*(call(name, "192.0.2.9", sender, helo) for name, sender, helo in questions))
        for (name, sender, helo), answer in zip(questions, answers):
            with self.subTest(name=name, sender=sender[:60], helo=helo[:60]):
                self.assertFalse(answer.startswith("Failed"), answer)
                self.check_clean(answer, name)
                if name == "spf":
                    self.assertIn(answer, ("fail", "none", "permerror"))

    def test_names_of_hostile_zones(self):
        """What MX and PTR records name, and %{p} repeats."""
        names = sorted({"spf", "spf_reason", "spf_detail", "spf_received_header", "spf_authres", "spf_resinfo",
                        "spf_reply", "spf_explanation", "spf_trace"})
        labels = [payload.decode("latin-1")[:63].replace(".", "-") for payload in self.PAYLOADS]
        reverse = "9.2.0.192.in-addr.arpa"
        for at, label in enumerate(labels):
            host = f"{label}.n{at}.example"
            policy = f"v=spf1 mx:mx{at}.example ptr:elsewhere.example exp=whyn.example -all"
            self.zone.add(f"n{at}.example", {"TXT": [policy]})
            self.zone.add(f"mx{at}.example", {"MX": [(10, host), (20, f"temp{at}.example")]})
            self.zone.add(host, {"A": ["192.0.2.9" if at % 2 else "192.0.2.8"]})
            self.zone.add(f"{at}.{reverse}", {"PTR": [host]})
        self.zone.add("whyn.example", {"TXT": ["%{p} is not welcome"]})
        for at in range(len(labels)):
            self.zone.add(reverse, {"PTR": [f"{labels[at]}.n{at}.example"]})
            answers = self.local.expand(*(call(name, "192.0.2.9", f"ann@n{at}.example", "h.example") for name in names))
            for name, answer in zip(names, answers):
                with self.subTest(name=name, label=labels[at]):
                    self.assertFalse(answer.startswith("Failed"), answer)
                    self.check_clean(answer, name)

    def test_a_long_trace_tells_what_it_leaves_out(self):
        policy = "v=spf1 " + "ip4:198.51.100.1 " * 400 + "-all"
        trace = self.local.expand(call("spf_trace", "192.0.2.9", "ann@hostile.example", "h.example", policy))[0]
        lines = trace.split("\n")
        left = re.fullmatch("and ([0-9]+) steps more", lines[-1])
        self.assertIsNotNone(left, lines[-1])
        self.assertEqual(len(lines) - 1 + int(left.group(1)), 402)
        self.assertLessEqual(len(trace), 8000)
        self.assertTrue(all(len(line) <= 400 for line in lines))

    def test_replies_headers_and_log_over_smtp(self):
        self.local.start()
        for payload in self.PAYLOADS:
            self.zone.add("why.hostile.example", {"TXT": [payload]})
            with self.subTest(payload=payload[:40]):
                self.dns.asked.clear()
                connection = self.smtp(self.local, helo="refuse.example")
                reply = connection.command("MAIL FROM:<ann@hostile.example>")
                self.assertTrue(all(line.startswith("550") and "5.7.23 " in line for line in reply), reply)
                self.assertTrue(all(len(line) <= 510 and re.fullmatch(r"[ -~]+", line) for line in reply), reply)
                self.assertTrue(connection.is_quiet())
                self.assertEqual(connection.command("NOOP")[0][:3], "250")
                self.assertEqual(len(self.smtp(self.local).send("ann@hostile.example")), 4)
        for message in self.local.delivered():
            head = message.split("\n\n")[0]
            names = set(re.findall(r"^([^ \t:]+):", head, flags=re.M))
            self.assertEqual(names, {"Received", "Received-SPF", "Authentication-Results", "X-Detail", "Subject"})
            self.assertTrue(all(re.match(r"[ \t]|[\w-]+: ", line) for line in head.split("\n")), head)
        self.assertNotRegex(self.local.log(), r"(?m)^X-Injected|[\x00-\x08\x0b-\x1f\x7f]")

    def test_a_long_sender_and_helo(self):
        for length in (4095, 4096, 4097, 20000):
            sender, helo = "a" * length + "@hostile.example", "h" * length
            self.assertEqual(self.local.expand(call("spf", "192.0.2.9", sender, helo),
                                               call("spf_helo", "192.0.2.9", sender, helo)), ["fail", "none"])


class Shortage(exim.EximTest):
    """This host lacks memory or sockets: the mail waits, and nothing fails."""

    FAILING = "int spf_context_shared(void **context, const char *file, char *error, unsigned long size)\n" \
              "{ (void)context; (void)file; if (size) *error = 0; return %d; }\n"

    def test_shortage_is_temperror(self):
        for error, reason in ((-1, "out of memory"), (-6, "the resolver could not be set up"),
                              (-7, "a system call failed")):
            with self.subTest(reason=reason):
                local = self.exim(["resolver: none"])
                source, library = local.folder / "failing.c", local.folder / "lib" / "failing.so"
                source.write_text(self.FAILING % error)
                subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
                local.environment["LD_PRELOAD"] = f"{local.environment.get('LD_PRELOAD', '')} {library}"
                answers = local.expand(*(call(name, *FAIL) for name in ("spf", "spf_reply", "spf_received_header")),
                                       "${extract{code}{%s}}" % call("spf_detail", *FAIL), config=False)
                self.assertEqual(answers, ["temperror", f"4.7.24 {reason}", f"Received-SPF: temperror\n\t({reason})",
                                           "451"])


class Taint(exim.EximTest):
    def test_only_the_word_may_name_a_file(self):
        dns = DnsServer(Zone(ZONE))
        self.addCleanup(dns.stop)
        local = self.exim([f"resolver: {dns.resolver}"], main="acl_smtp_mail = acl_mail", acl="""
acl_mail:
  warn  condition = ${if eq{$sender_address_local_part}{text}}
        logwrite  = got ${lookup{key}lsearch{FOLDER/${dlfunc{LIBSPF}{spf_explanation}}}}
  warn  condition = ${if eq{$sender_address_local_part}{detail}}
        logwrite  = got ${lookup{key}lsearch{FOLDER/${extract{result}{${dlfunc{LIBSPF}{spf_detail}}}}}}
  warn  logwrite  = got ${lookup{key}lsearch{FOLDER/${dlfunc{LIBSPF}{spf}}}}
  accept
""")
        for word in ("fail", "why"):
            (local.folder / word).write_text("key: value of %s\n" % word)
        dns.zone.add("why.fail.example", {"TXT": ["why"]})
        replies, trace = local.session("192.0.2.9", "EHLO h.example", "MAIL FROM:<word@fail.example>")
        self.assertIn("250 OK", replies)
        self.assertIn("LOG: got value of fail", trace)
        for sender in ("text", "detail"):
            replies, trace = local.session("192.0.2.9", "EHLO h.example", f"MAIL FROM:<{sender}@fail.example>")
            self.assertIn("ainted", trace)
            self.assertNotIn("value of why", trace)


class Readme(exim.EximTest):
    def test_every_call_in_it_works(self):
        text = (exim.ROOT / "plugins" / "exim" / "README.md").read_text()
        named = set(re.findall(r"^\| `(spf\w*)` \|", text.split("## Beside")[0], flags=re.M))
        self.assertEqual(named, FUNCTIONS)
        dns = DnsServer(Zone(ZONE))
        self.addCleanup(dns.stop)
        local = self.exim([f"resolver: {dns.resolver}"])
        conditions = re.findall(r"condition\s*= (\$.*?\}\})(?:`|\n)", text)
        calls = re.findall(r"\$\{dlfunc\{LIBSPF\}\{(?!spf_config)\w+\}(?:\{[^{}]*\})*\}", text)
        self.assertGreater(len(conditions), 8)
        self.assertGreater(len(calls), 20)
        for expression, answer in zip([*conditions, *calls], local.expand(*conditions, *calls)):
            self.assertFalse(answer.startswith("Failed"), expression + answer)
        detail = set(re.findall(r'(\w+)="', local.expand(call("spf_detail", *PASS))[0]))
        described = text.split("The keys of `spf_detail`:")[1].split("\n\n")[0]
        self.assertEqual(detail - set(re.findall(r"`(\w+)`", described)), set())


if __name__ == "__main__":
    exim.main()
