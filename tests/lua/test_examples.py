#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The examples, each in its event loop: test_examples.py INTERPRETER MODULE"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import run

EXAMPLES = run.HERE.parents[1] / "examples" / "lua"
STEP_S = 60


class Examples(unittest.TestCase):
    interpreter = module = None

    def setUp(self):
        self.dns = run.server("slow", 0.05)
        self.addCleanup(self.dns.stop)
        folder = tempfile.TemporaryDirectory(prefix="libspf-lua-")
        self.addCleanup(folder.cleanup)
        self.config = pathlib.Path(folder.name) / "libspf.conf"
        self.config.write_text(f"resolver: {self.dns.resolver}\n")

    def run_example(self, name, *arguments, text=""):
        environment = dict(os.environ, LUA_CPATH=str(pathlib.Path(self.module).parent / "?.so") + ";;")
        return subprocess.run([self.interpreter, EXAMPLES / name, *map(str, arguments)], input=text, capture_output=True,
                              env=environment, text=True, timeout=STEP_S, check=False)

    def test_check(self):
        done = self.run_example("check.lua", "198.51.100.7", "ann@example.com", "h.example.net", self.config)
        self.assertEqual(done.stderr, "")
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("fail: "))
        self.assertEqual(lines[1], "the domain explains: 198.51.100.7 may not send mail for example.com")
        self.assertTrue(lines[2].startswith("Received-SPF: fail "))
        self.assertIn("    ip4:203.0.113.0/28: no match", lines)
        done = self.run_example("check.lua", "198.51.100", "ann@example.com", "h.example.net", self.config)
        self.assertEqual(done.returncode, 64)
        self.assertIn('"198.51.100" is no IPv4', done.stderr)

    def test_lint(self):
        done = self.run_example("lint.lua", self.config, "example.com", "soft.example.com", "broken.example.com", "fails.example.com")
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 1)
        self.assertIn("example.com: record, 2 of 10 lookups\n", done.stdout)
        self.assertIn("  flattened: 0 lookups instead of 1\n    soft.example.com. 3600 IN TXT \"v=spf1 ip4:192.0.2.99 ~all\"",
                      done.stdout)
        self.assertIn("  error: foo:bar: ", done.stdout)
        self.assertIn("fails.example.com: error, 0 of 10 lookups\n", done.stdout)
        self.assertRegex(done.stdout, r"cannot be flattened: \w")
        self.assertEqual(self.run_example("lint.lua", self.config, "soft.example.com").returncode, 0)
        self.assertEqual(self.run_example("lint.lua").returncode, 64)

    def test_event_loops(self):
        questions = [(f"192.0.2.{number}", "pass") for number in range(1, 41)] + [
            (f"198.51.100.{number}", "fail") for number in range(101, 121)]
        text = "".join(f"{ip} user@example.com h.example.net\n" for ip, _ in questions)
        wanted = {f"{ip} user@example.com: {result}" for ip, result in questions}
        for name in ("with_cqueues.lua", "with_luv.lua", "with_luasocket.lua"):
            with self.subTest(example=name):
                done = self.run_example(name, self.config, text=text)
                self.assertEqual(done.stderr, "")
                lines = done.stdout.splitlines()
                self.assertEqual(len(lines), len(questions))
                self.assertEqual({":".join(line.split(":")[:2]) for line in lines}, wanted)
                nothing = self.run_example(name, self.config)
                self.assertEqual((nothing.returncode, nothing.stdout, nothing.stderr), (0, "", ""))

    def test_a_resolver_of_the_host_s(self):
        for ip, result in (("198.51.100.25", "pass"), ("203.0.113.3", "pass"), ("198.51.100.7", "fail")):
            done = self.run_example("own_resolver.lua", ip, "ann@example.com", "h.example.net", f"[{self.dns.host}]:{self.dns.port}")
            self.assertEqual(done.stderr, "")
            self.assertTrue(done.stdout.startswith(result + ": "), done.stdout)
        self.assertIn("mx.example.com", self.dns.asked)


if __name__ == "__main__":
    Examples.interpreter, Examples.module = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
