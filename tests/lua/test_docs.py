#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The manual page and the README tell of all that the module has, and the page's example runs: test_docs.py LUA MODULE"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "man" / "libspf.3lua").read_text()
SOURCES = {path.stem: path.read_text() for path in (ROOT / "plugins" / "lua").glob("*.c")}


def table(source, start, end="};"):
    return SOURCES[source].split(start)[1].split(end)[0]


class Docs(unittest.TestCase):
    interpreter = module = None

    def assert_described(self, names, text):
        words = set(re.findall(r"\w+", text))
        self.assertGreater(len(names), 2)
        self.assertEqual(set(names) - words, set())

    def test_every_field_of_a_result(self):
        section = PAGE.split(".Ss Results")[1].split("These are its methods")[0]
        self.assert_described(re.findall(r'\{"(\w+)", push_', SOURCES["result"]), section)
        for source in re.findall(r'set_(?:text|number|flag)\(L, "(\w+)"', SOURCES["result"]):
            self.assertIn(source, section)

    def test_every_member_of_a_survey(self):
        section = PAGE.split(".Ss Surveys")[1].split(".Ss Evidence")[0]
        for source in ("survey", "draft"):
            self.assert_described(re.findall(r'set_(?:text|number|octets|flag|count|node)\(L, "(\w+)"', SOURCES[source])
                                  + re.findall(r'\{"(\w+)", (?:push|take)_', SOURCES[source]), section)

    def test_every_member_of_an_item(self):
        section = PAGE.split(".Ss Evidence")[1].split(".Ss")[0]
        self.assert_described(re.findall(r'"(\w+)", offsetof', SOURCES["evidence"])
                              + re.findall(r'set_(?:text|number)\(L, "(\w+)"', SOURCES["evidence"]), section)

    def test_every_option_of_a_survey(self):
        section = PAGE.split(".Ss Surveys")[1].split(".El")[0]
        self.assertEqual(re.findall(r'\{"(\w+)", take_\w+\}', table("survey", "options[] = {")),
                         re.findall(r"^\.It Va (\w+)", section, flags=re.M))

    def test_every_method(self):
        names = re.findall(r'\{"([a-z]\w+)", \w+\}',
                           "".join(SOURCES[name] for name in ("check", "context", "events", "job")))
        for source in ("survey", "draft", "evidence"):
            names += re.findall(r'\{"([a-z]\w+)", (?!push_|take_)\w+\}', SOURCES[source])
        names += re.findall(r'\{"(\w+)", result_(?!close|tostring|index)', SOURCES["result"])
        names += re.findall(r'\{"(\w+)", question_(?!gc|tostring|index)', SOURCES["resolver"])
        self.assert_described(names, PAGE)

    def test_every_option_of_a_check(self):
        section = PAGE.split("The options are:")[1].split(".Ss")[0]
        self.assertEqual(re.findall(r'\{"(\w+)", take_\w+\}', table("check", "options[] = {")),
                         re.findall(r"^\.It Va (\w+)", section, flags=re.M))

    def test_every_function_of_a_resolver(self):
        section = PAGE.split(".Ss Resolvers written in Lua")[1].split("The answer is one of these")[0]
        self.assertEqual(set(re.findall(r'"(\w+)"', table("settings", "functions[] = {"))),
                         set(re.findall(r"^\.It Fn (\w+)", section, flags=re.M)))

    def test_the_page_is_well_formed(self):
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / "docs" / "man" / "libspf.3lua"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(lint.stdout + lint.stderr, "")

    def run_lua(self, program):
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(program)
            file.flush()
            environment = dict(os.environ, LUA_CPATH=str(pathlib.Path(self.module).parent / "?.so") + ";;")
            done = subprocess.run([self.interpreter, file.name], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_the_example_of_the_page(self):
        program = re.search(r"^\.Sh EXAMPLE\n\.Bd -literal\n(.*?)^\.Ed", PAGE, flags=re.S | re.M).group(1)
        printed = self.run_lua(program.replace("\\e", "\\"))
        self.assertRegex(printed, r"^550\t5\.7\.23\t")
        self.assertIn("pass: 192.0.2.7 matches", printed)
        self.assertIn("example.com: record, 0 of 10 lookups", printed)
        self.assertIn('example.com. 3600 IN TXT "v=spf1 ip4:192.0.2.0/24 mx ~all"', printed)

    def test_the_programs_of_the_readme(self):
        programs = re.findall(r"^```lua\n(.*?)^```", (ROOT / "plugins" / "lua" / "README.md").read_text(), flags=re.S | re.M)
        self.assertGreater(len(programs), 1)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
            config.write(f"resolver: none\nzone: {ROOT / 'examples' / 'quickstart.zone'}\n")
            config.flush()
            for program in programs:
                printed = self.run_lua(f'require("libspf").configure{{config = "{config.name}"}}\n' + program)
                self.assertRegex(printed, r"192\.0\.2\.7 matches ip4:192\.0\.2\.0/24|The header said fail, and now it is pass")
                for written in re.findall(r"^print\(\w+\) -- (.*)", program, flags=re.M):
                    self.assertIn(written + "\n", printed)

    def test_the_rockspec_has_every_source(self):
        rockspec, = (ROOT / "plugins" / "lua").glob("*.rockspec")
        text = rockspec.read_text()
        self.assertEqual(set(re.findall(r'"(\w+)\.c"', text)), {name for name in SOURCES if not name.startswith("rspamd")})
        version = re.search(r'SPF_VERSION "(.*?)"', (ROOT / "libspf" / "include" / "spf.h").read_text()).group(1)
        self.assertEqual(rockspec.name, f"libspf-{version}-1.rockspec")
        self.assertIn(f'version = "{version}-1"', text)


if __name__ == "__main__":
    Docs.interpreter, Docs.module = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
