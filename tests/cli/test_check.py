#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spf check` as its users meet it: output, JSON, files of questions, bad input, exit statuses."""
import json
import os
import pathlib
import pty
import socket
import subprocess
import tempfile
import threading
import unittest

SPF = os.environ["SPF"]

ZONE = """\
$ORIGIN example.com.
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
@ IN TXT "v=spf1 ip4:192.0.2.0/24 exp=why.%{d} -all"
why IN TXT "%{i} may not send for %{d}"
soft IN TXT "v=spf1 ~all"
neutral IN TXT "v=spf1 ?all"
bad IN TXT "v=spf1 ip4:192.0.2.0/33 -all"
plain IN TXT "no policy here"
temp IN TXT "v=spf1 a:temp.example.net -all"
mail IN TXT "v=spf1 ip4:192.0.2.25 -all"
rcvr IN TXT "v=spf1 exp=rcvr-why.example.com -all"
rcvr-why IN TXT "ask %{r}"
"""

RESULTS = {  # sender's domain: result, exit status
    "example.com": ("pass", 0),
    "soft.example.com": ("softfail", 2),
    "neutral.example.com": ("neutral", 3),
    "bad.example.com": ("permerror", 4),
    "plain.example.com": ("none", 6),
}


def run(*arguments, text=None, environment=None):
    return subprocess.run([SPF, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(environment or {})}, check=False)


class SlowServer:
    """A DNS server on loopback: every TXT question gets one policy, at once, late (slow...) or never (silent...)."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1@%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                question, client = self.socket.recvfrom(4096)
            except OSError:
                return
            labels, position = [], 12
            while question[position]:
                end = position + 1 + question[position]
                labels.append(question[position + 1:end].decode().lower())
                position = end
            if labels[0].startswith("silent"):
                continue
            policy = b"v=spf1 ip4:192.0.2.0/24 -all"
            data = bytes([len(policy)]) + policy
            answer = (question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:position + 5] + b"\xc0\x0c\0\x10\0\1" +
                      (300).to_bytes(4, "big") + len(data).to_bytes(2, "big") + data)
            delay = 0.2 if labels[0].startswith("slow") else 0
            threading.Timer(delay, self.socket.sendto, (answer, client)).start()

    def close(self):
        self.socket.close()


class CheckTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.zone = cls.file("example.zone", ZONE)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def file(cls, name, text):
        path = pathlib.Path(cls.folder.name) / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def check(self, *arguments, **keywords):
        return run("check", "--zone", self.zone, *arguments, **keywords)

    def terminal(self):
        try:
            return pty.openpty()
        except OSError as error:
            return self.skipTest(f"no terminal can be had: {error}")

    def refused(self, done, *words):
        """One sentence on standard error, nothing on standard output, exit status 64."""
        self.assertEqual((done.returncode, done.stdout), (64, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("spf"))
        for word in words:
            self.assertIn(word, done.stderr)


class OneCheck(CheckTest):
    def test_each_result_has_its_exit_status(self):
        for domain, (result, status) in RESULTS.items():
            done = self.check("--ip", "192.0.2.7", "--sender", "ann@" + domain, "--helo", "mail.example.com")
            self.assertEqual((done.stdout.split("\n")[0], done.returncode, done.stderr), (result, status, ""))

    def test_fail_in_full(self):
        done = self.check("--ip", "198.51.100.7", "--sender", "ann@example.com", "--helo", "mail.example.com",
                          "--receiver", "mx.example.org")
        lines = done.stdout.split("\n")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(lines[0], "fail")
        self.assertIn("198.51.100.7", lines[1])
        self.assertEqual(lines[2], "explanation: 198.51.100.7 may not send for example.com")
        self.assertTrue(lines[3].startswith("Received-SPF: fail (mx.example.org: "))
        results = next(i for i, line in enumerate(lines) if line.startswith("Authentication-Results: mx.example.org;"))
        for i, line in enumerate(lines[3:-1], 3):
            self.assertLessEqual(len(line.expandtabs()), 78)
            self.assertTrue(i in (3, results) or line.startswith("\t"), line)

    def test_null_sender_and_helo_identity(self):
        for sender in ("", "<>"):
            done = self.check("--ip", "192.0.2.25", "--sender", sender, "--helo", "mail.example.com", "--json")
            answer = json.loads(done.stdout)
            self.assertEqual((answer["result"], answer["sender"], answer["identity"]),
                             ("pass", "postmaster@mail.example.com", "mailfrom"))
        done = self.check("--ip", "192.0.2.25", "--sender", "<ann@plain.example.com>", "--helo", "mail.example.com",
                          "--identity", "helo", "--json")
        answer = json.loads(done.stdout)
        self.assertEqual((answer["result"], answer["identity"], answer["domain"]), ("pass", "helo", "mail.example.com"))

    def test_json(self):
        done = self.check("--ip", "2001:DB8::7", "--sender", "ann@example.com", "--helo", "mail.example.com", "--json",
                          "--trace")
        self.assertEqual(done.stdout.count("\n"), 1)
        answer = json.loads(done.stdout)
        for key in ("result reason explanation domain identity ip sender helo term record lookups void_lookups "
                    "dns_queries ttl elapsed_ms would_be received_spf authentication_results smtp_reply trace").split():
            self.assertIn(key, answer)
        self.assertEqual((answer["result"], answer["ip"], answer["term"], answer["lookups"], answer["ttl"]),
                         ("fail", "2001:db8::7", "-all", 0, 300))
        self.assertIsNone(answer["would_be"])
        self.assertEqual((answer["smtp_reply"]["code"], answer["smtp_reply"]["enhanced"]), (550, "5.7.23"))
        self.assertEqual(answer["trace"][0]["outcome"], "record")
        self.assertEqual(done.returncode, 1)

    def test_trace_is_there_when_asked_for(self):
        question = ("--ip", "192.0.2.7", "--sender", "ann@example.com")
        self.assertIn("\ntrace:\n", self.check(*question, "--trace").stdout)
        self.assertNotIn("trace:", self.check(*question).stdout)
        self.assertEqual(json.loads(self.check(*question, "--json").stdout)["trace"], [])

    def test_would_be(self):
        question = ("--ip", "192.0.2.7", "--sender", "ann@bad.example.com")
        self.assertIn("\nwithout the terms in error: fail\n", self.check(*question, "--would-be").stdout)
        self.assertNotIn("without the terms", self.check(*question).stdout)
        self.assertEqual(json.loads(self.check(*question, "--would-be", "--json").stdout)["would_be"], "fail")

    def test_settings_reach_the_check(self):
        question = ("--ip", "192.0.2.7", "--sender", "ann@rcvr.example.com")
        done = self.check(*question, "--set", "receiver=mx.example.org")
        self.assertIn("explanation: ask mx.example.org\n", done.stdout)
        config = self.file("good.conf", "receiver: mx.example.net # ours\nresolver: none\nzone: %s\n" % self.zone)
        done = run("check", "--config", config, *question)
        self.assertIn("explanation: ask mx.example.net\n", done.stdout)
        done = run("check", "--config", config, *question, "--receiver=mx.example.org", "--no-prefetch")
        self.assertIn("explanation: ask mx.example.org\n", done.stdout)

    def test_colours(self):
        question = ("--ip", "192.0.2.7", "--sender", "ann@example.com")
        self.assertTrue(self.check(*question, "--color", "always").stdout.startswith("\033[1;32mpass\033[0m\n"))
        self.assertTrue(self.check(*question).stdout.startswith("pass\n"))
        for environment, color in (({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)):
            terminal, end = self.terminal()
            subprocess.run([SPF, "check", "--zone", self.zone, *question], stdout=end, timeout=60, check=False,
                           env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **environment})
            os.close(end)
            self.assertEqual(os.read(terminal, 4096).startswith(b"\033["), color)
            os.close(terminal)


class BadInput(CheckTest):
    def test_options(self):
        good = ("--ip", "192.0.2.7", "--sender", "ann@example.com")
        for arguments, words in (
                (("--frob",), ('"--frob"', "--ip", "--help")),
                (("-x",), ('"-x"', "--ip")),
                (("--json=1",), ("--json takes no value",)),
                (("--helo",), ("--helo needs a value: NAME",)),
                (("stray",), ('"stray"', "--ip")),
                (("--identity", "from"), ('"from"', "mailfrom", "helo")),
                (("--color", "red"), ('"red"', "auto, always, never")),
                (("--set", "timeout"), ('"timeout"', "KEY=VALUE")),
                (("--set", "time=3"), ('"time"', "timeout")),
                (("--timeout", "abc"), ('timeout: "abc" is no number of seconds from 0.001 to 600',)),
                (("--resolver", "localhost"), ('resolver: "localhost"', "@PORT")),
                (("--resolver", "127.0.0.1@0"), ('resolver: "127.0.0.1@0"', "@PORT")),
                (("--jobs", "3"), ("--jobs", "--file")),
                (("--dnssec", ""), ("trust-anchor",)),
                (("--zone", "/nonexistent.zone"), ("/nonexistent.zone",)),
                (("--zone", self.zone, "--dnssec", "/nonexistent.key"), ("/nonexistent.key",)),
                (("--config", "/nonexistent.conf"), ("/nonexistent.conf", "No such file")),
        ):
            self.refused(run("check", *good, *arguments), *words)

    def test_questions(self):
        for arguments, words in (
                ((), ("--ip",)),
                (("--sender", "ann@example.com"), ("--ip ADDR",)),
                (("--ip", "192.0.2.7"), ("--sender MAILBOX", "--helo NAME")),
                (("--ip", "192.0.2.7", "--sender", "a@b.example", "--identity", "helo"), ("--helo NAME",)),
                (("--ip", "192.0.2.256", "--sender", "ann@example.com"), ("192.0.2.256",)),
                (("--ip", "192.0.2.7/32", "--sender", "ann@example.com"), ("192.0.2.7/32",)),
                (("--ip", "fe80::1%eth0", "--sender", "ann@example.com"), ("fe80::1%eth0",)),
                (("--ip", "1" * 100, "--sender", "ann@example.com"), ("1111",)),
                (("--ip", "", "--sender", "ann@example.com"), ('""',)),
                (("--ip", "192.0.2.7", "--sender", "ann@"), ('"ann@"', "LOCAL-PART@DOMAIN")),
                (("--ip", "192.0.2.7", "--sender", "a\nb@example.com"), ('"a?b@example.com"', "control")),
                (("--ip", "192.0.2.7", "--helo", "a\tb"), ('"a?b"', "control")),
                (("--ip", "192.0.2.7", "--sender", "x" * 5000 + "@example.com"), ("xxx", "4096")),
        ):
            self.refused(self.check(*arguments), *words)

    def test_config_file(self):
        config = self.file("bad.conf", "timeout: 5\n\ntimeout: soon\n")
        done = self.check("--config", config, "--ip", "192.0.2.7", "--sender", "ann@example.com")
        self.refused(done, '%s:3: timeout: "soon" is no number of seconds from 0.001 to 600' % config)

    def test_zone_file(self):
        zone = self.file("bad.zone", "$ORIGIN example.com.\n@ 300 IN SOA ns hm 1 1 1 1 1\n@ 300 IN A 192.0.2.300\n")
        done = run("check", "--zone", zone, "--ip", "192.0.2.7", "--sender", "ann@example.com")
        self.refused(done, "bad.zone")


class Verbs(unittest.TestCase):
    def test_help_and_version(self):
        for arguments, word in ((("help",), "spf check"), (("--help",), "spf check"), (("help", "check"), "--sender"),
                                (("check", "--help"), "--sender"), (("check", "-h"), "--sender"),
                                (("--version",), "libspf"), (("version",), "libspf")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(word, done.stdout)

    def test_wrong_verbs(self):
        for arguments, words in (((), ("spf check",)), (("chekc",), ('"chekc"', "check")),
                                 (("help", "chekc"), ('"chekc"', "check")), (("help", "check", "x"), ('"x"',)),
                                 (("version", "x"), ('"x"',))):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""))
            for word in words:
                self.assertIn(word, done.stderr)


class Files(CheckTest):
    def test_lines_come_in_order(self):
        domains = list(RESULTS) * 400
        text = "".join("192.0.2.7\tuser%d@%s  mail.example.com\n" % line for line in enumerate(domains))
        path = self.file("questions.txt", text)
        for jobs in ("1", "7", "64", "3000"):
            done = self.check("--file", path, "--jobs", jobs)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = done.stdout.split("\n")[:-1]
            self.assertEqual(len(lines), len(domains))
            for i, line in enumerate(lines):
                self.assertTrue(line.startswith("%s: 192.0.2.7 user%d@%s mail.example.com: " %
                                                (RESULTS[domains[i]][0], i, domains[i])), line)

    def test_json_lines(self):
        text = "192.0.2.7 <> mail.example.com\r\n192.0.2.25 ann@example.com x"
        done = self.check("--file", "-", "--json", "--trace", text=text)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([answer["result"] for answer in answers], ["fail", "pass"])
        self.assertEqual(answers[0]["sender"], "postmaster@mail.example.com")
        self.assertGreater(len(answers[1]["trace"]), 0)

    def test_bad_lines_do_not_stop_the_others(self):
        lines = [b"192.0.2.7 ann@example.com mail.example.com", b"", b"192.0.2.7 ann@example.com", b"a b c d",
                 b"192.0.2.x ann@example.com mail.example.com", b"192.0.2.7\0 ann@example.com mail.example.com",
                 b"192.0.2.7 a\x01@example.com mail.example.com", b"192.0.2.7 ann@example.com " + b"x" * 40000,
                 b"192.0.2.7 ann@example.com mail.example.com"]
        path = self.file("bad.txt", b"\n".join(lines))
        done = self.check("--file", path)
        self.assertEqual((done.returncode, done.stderr), (64, ""))
        out = done.stdout.splitlines()
        self.assertEqual(len(out), len(lines))
        self.assertTrue(out[0].startswith("pass: ") and out[8].startswith("pass: "))
        for number, word in ((2, '""'), (3, "IP SENDER HELO"), (4, "IP SENDER HELO"), (5, "192.0.2.x"),
                             (6, '"192.0.2.7?"'), (7, '"a?@example.com"'), (8, "longer than")):
            self.assertTrue(out[number - 1].startswith("error: line %d: " % number), out[number - 1])
            self.assertIn(word, out[number - 1])
        out = [json.loads(line) for line in self.check("--file", path, "--json").stdout.splitlines()]
        self.assertEqual([answer.get("line") for answer in out], [None, 2, 3, 4, 5, 6, 7, 8, None])
        self.assertIn("192.0.2.x", out[4]["error"])

    def test_empty_file(self):
        done = self.check("--file", "-", text="")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_what_does_not_go_with_a_file(self):
        self.refused(self.check("--file", "-", "--ip", "192.0.2.7"), "--file", "--ip")
        self.refused(self.check("--file", "-", "--trace"), "--trace", "--json")
        self.refused(self.check("--file", "/nonexistent.txt"), "/nonexistent.txt", "No such file")
        self.refused(self.check("--file", "/"), "/", "Is a directory")
        for jobs in ("0", "10001", "x", "", "-1", "99999999999999999999"):
            self.refused(self.check("--file", "-", "--jobs", jobs), "--jobs", '"%s"' % jobs, "1 to 10000")

    def test_an_answer_comes_before_the_next_question(self):
        with subprocess.Popen([SPF, "check", "--zone", self.zone, "--file", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, bufsize=1) as child:
            for domain, (result, _) in RESULTS.items():
                child.stdin.write("192.0.2.7 ann@%s mail.example.com\n" % domain)
                self.assertTrue(child.stdout.readline().startswith(result + ": "))
            child.stdin.close()
            self.assertEqual(child.wait(60), 0)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        path = self.file("many.txt", "192.0.2.7 ann@example.com mail.example.com\n" * 20000)
        with subprocess.Popen([SPF, "check", "--zone", self.zone, "--file", path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            child.stdout.readline()
            child.stdout.close()
            self.assertEqual(child.stderr.read(), b"")
            self.assertEqual(child.wait(60), 70)

    def test_progress_shows_on_a_terminal_only(self):
        terminal, end = self.terminal()
        done = subprocess.run([SPF, "check", "--zone", self.zone, "--file", "-"], stderr=end, timeout=60, check=False,
                              input=b"192.0.2.7 ann@example.com mail.example.com\n" * 10, stdout=subprocess.PIPE)
        os.close(end)
        self.assertEqual(done.stdout.count(b"pass: "), 10)
        self.assertIn(b"checked", os.read(terminal, 4096))
        os.close(terminal)


class OverDns(CheckTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = SlowServer()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        super().tearDownClass()

    def test_named_resolver(self):
        done = run("check", "--resolver", self.server.address, "--ip", "192.0.2.7", "--sender", "ann@one.example.net")
        self.assertEqual((done.stdout.split("\n")[0], done.returncode), ("pass", 0))

    def test_zone_on_top_of_the_network(self):
        for domain, result in (("example.com", "fail"), ("two.example.net", "pass")):
            done = run("check", "--resolver", self.server.address, "--zone", self.zone, "--ip",
                       "198.51.100.7" if domain == "example.com" else "192.0.2.7", "--sender", "ann@" + domain)
            self.assertEqual(done.stdout.split("\n")[0], result)

    def test_no_answer_is_temperror(self):
        done = run("check", "--resolver", self.server.address, "--timeout", "0.3", "--ip", "192.0.2.7", "--sender",
                   "ann@silent.example.net")
        self.assertEqual((done.stdout.split("\n")[0], done.returncode), ("temperror", 5))

    def test_slow_answers_keep_their_place(self):
        domains = ["%s%d.example.net" % ("slow" if i % 5 == 0 else "fast", i) for i in range(100)]
        text = "".join("192.0.2.7 ann@%s mail.example.com\n" % domain for domain in domains)
        done = run("check", "--resolver", self.server.address, "--file", "-", "--jobs", "30", text=text)
        self.assertEqual([line.split()[2] for line in done.stdout.splitlines()], ["ann@" + domain for domain in domains])
        self.assertEqual(done.stdout.count("pass: "), 100)


if __name__ == "__main__":
    unittest.main()
