#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The manual pages tell of everything there is, and their examples compile."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAN = ROOT / "docs" / "man"


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def declared_functions():
    names = set()
    for header in ("spf.h", "spf_resolver.h", "spf_tools.h"):
        text = without_comments((ROOT / "libspf" / "include" / header).read_text())
        names |= set(re.findall(r"SPF_API\s[^;{(]*?\b(spf_\w+)\s*\(", text))
    return names


def options_in(source, table):
    """The names in a table of options of the command."""
    text = (ROOT / "tools" / (source + ".c")).read_text()
    rows = text.split("static const option_definition_t %s[] = {" % table)[1].split("\n};")[0]
    return set(re.findall(r'\{"([a-z0-9-]+)"', rows))


def example(page):
    """The program in the EXAMPLE section, its roff escapes undone."""
    text = page.read_text()
    found = re.search(r"^\.Sh EXAMPLE\n\.Bd -literal\n(.*?)^\.Ed", text, flags=re.S | re.M)
    return found and found.group(1).replace("\\e", "\\")


class Docs(unittest.TestCase):
    def test_map_lists_what_the_headers_declare(self):
        text = (ROOT / "libspf" / "libspf.map").read_text()
        listed = set(re.findall(r"^\s+(spf_\w+);", text, flags=re.M))
        self.assertGreater(len(listed), 50)
        self.assertEqual(listed, declared_functions())

    def test_every_function_has_a_page_with_its_synopsis(self):
        named, shown = set(), set()
        for page in MAN.glob("*.3"):
            text = page.read_text()
            named |= set(re.findall(r"^\.Nm (spf_\w+)", text, flags=re.M))
            synopsis = text.split(".Sh SYNOPSIS")[1].split(".Sh DESCRIPTION")[0]
            shown |= set(re.findall(r"^\.F[no] (spf_\w+)", synopsis, flags=re.M))
        self.assertEqual(named, declared_functions())
        self.assertEqual(shown, declared_functions())

    def test_every_member_has_its_place(self):
        header = (ROOT / "libspf" / "include" / "spf.h").read_text()
        verdict = re.sub(r"\\f.", "", (MAN / "spf_verdict.3").read_text())
        report = (MAN / "spf_report.3").read_text()
        for struct, page in (("verdict", verdict), ("lookup", verdict), ("step", verdict), ("smtp_reply", report)):
            body = re.search(r"typedef struct spf_%s \{(.*?)\} spf_%s_t;" % (struct, struct), header, flags=re.S).group(1)
            members = re.findall(r"(\w+);", without_comments(body))
            self.assertGreater(len(members), 2)
            described = set(re.findall(r"\w+", " ".join(re.findall(r"\bVa (.*)", page))))
            self.assertEqual(set(members) - described, set())

    def test_every_member_of_a_tree_has_its_place(self):
        header = (ROOT / "libspf" / "include" / "spf_tools.h").read_text()
        described = set(re.findall(r"\w+", " ".join(re.findall(r"\bVa (.*)", (MAN / "spf_survey.3").read_text()))))
        for struct in ("network", "node_term", "node", "survey_summary"):
            body = re.search(r"struct spf_%s \{(.*?)\n\}" % struct, header, flags=re.S).group(1)
            members = re.findall(r"(\w+)(?:\[\d+\])?[;,]", without_comments(body))
            self.assertGreater(len(members), 2)
            self.assertEqual(set(members) - described, set())

    def test_every_member_of_a_remark_has_its_place(self):
        header = (ROOT / "libspf" / "include" / "spf_tools.h").read_text()
        described = set(re.findall(r"\w+", " ".join(re.findall(r"\bVa (.*)", (MAN / "spf_remark.3").read_text()))))
        body = re.search(r"struct spf_remark \{(.*?)\n\}", header, flags=re.S).group(1)
        members = re.findall(r"(\w+)[;,]", without_comments(body))
        self.assertGreater(len(members), 10)
        self.assertEqual(set(members) - described, set())

    def test_every_code_of_lint_is_in_its_page(self):
        source = (ROOT / "libspf" / "tools" / "lint_codes.h").read_text()
        rows = re.findall(r'X\(SPF_LINT_\w+,\s*"([a-z0-9-]+)",\s*([A-Z]+),', source)
        page = (MAN / "spf-lint.1").read_text().split(".Sh REMARKS")[1].split(".Sh EXIT STATUS")[0]
        self.assertEqual(len(rows), source.count("X(SPF_LINT_"))
        self.assertGreater(len(rows), 60)
        for heading, severity in (("Errors", "ERROR"), ("Warnings", "WARNING"), ("Advice", "ADVICE")):
            listed = page.split(".Ss %s\n" % heading)[1].split(".Ss ")[0]
            described = re.findall(r"^\.It Cm ([a-z0-9-]+)$", listed, flags=re.M)
            self.assertEqual(described, [code for code, kind in rows if kind == severity])

    def test_every_member_of_drafts_and_options_has_its_place(self):
        header = (ROOT / "libspf" / "include" / "spf_tools.h").read_text()
        for struct, page in (("draft_record", "draft"), ("compose_options", "compose"), ("flatten_options", "flatten")):
            body = re.search(r"struct spf_%s \{(.*?)\n\}" % struct, header, flags=re.S).group(1)
            members = re.findall(r"(\w+);", without_comments(body))
            self.assertGreater(len(members), 2)
            described = set(re.findall(r"\w+", " ".join(re.findall(r"\bVa (.*)", (MAN / ("spf_%s.3" % page)).read_text()))))
            self.assertEqual(set(members) - described, set())

    def test_every_function_page_has_its_sections(self):
        for page in MAN.glob("*.3"):
            sections = re.findall(r"^\.Sh (.*)", page.read_text(), flags=re.M)
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "RETURN VALUES", "ERRORS", "THREADS", "EXAMPLE"):
                self.assertIn(section, sections, page.name)

    def test_every_key_is_in_the_page_of_the_file(self):
        source = (ROOT / "libspf" / "api" / "config.c").read_text()
        table = source.split("static const spf_key_t keys[] = {")[1].split("\n};")[0]
        keys = set(re.findall(r'\{"([a-z-]+)"', table))
        described = set(re.findall(r"^\.It Ic ([a-z-]+)", (MAN / "libspf.conf.5").read_text(), flags=re.M))
        self.assertGreater(len(keys), 10)
        self.assertEqual(keys, described)

    def test_every_option_is_in_the_page_of_its_verb(self):
        common = options_in("options", "dns_options") | options_in("options", "common_options")
        verbs = {path.stem for path in (ROOT / "tools").glob("*.c") if "_command = {" in path.read_text()}
        self.assertGreater(len(common), 5)
        self.assertIn("check", verbs)
        for verb in verbs:
            page = MAN / ("spf.1" if verb == "check" else "spf-%s.1" % verb)
            described = set(re.findall(r"^\.It Fl \\-([a-z-]+)", page.read_text(), flags=re.M))
            self.assertEqual(options_in(verb, "definitions") | (common if verb == "check" else set()), described, verb)
            if verb != "check":
                self.assertIn("Xr spf-%s 1" % verb, (MAN / "spf.1").read_text())

    def test_every_member_of_a_json_object_is_in_the_page_of_its_command(self):
        for report, page in (("json", "spf"), ("tree_json", "spf-lookup"), ("draft", "spf-flatten")):
            source = (ROOT / "libspf" / "report" / (report + ".c")).read_text()
            members = set(re.findall(r'\b(?:spf_object_set\w*|set_flag)\(&?object, "(\w+)"', source))
            section = (MAN / (page + ".1")).read_text().split(".Ss JSON")[1].split("\n.Sh ")[0]
            described = set(re.findall(r"\w+", " ".join(re.findall(r"^\.(?:It )?Va (.*)", section, flags=re.M))))
            self.assertGreater(len(members), 5)
            self.assertEqual(members - described, set())

    def test_pages_are_well_formed(self):
        for page in MAN.iterdir():
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
            self.assertEqual(lint.stdout + lint.stderr, "")

    def test_examples_compile(self):
        compiler = os.environ.get("CC", "cc")
        with tempfile.TemporaryDirectory() as folder:
            for page in sorted(MAN.glob("*.3")):
                program = example(page)
                self.assertIsNotNone(program, page.name)
                source = pathlib.Path(folder) / (page.stem + ".c")
                source.write_text(program)
                command = [compiler, "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-I",
                           ROOT / "libspf" / "include", "-c", source, "-o", source.with_suffix(".o")]
                done = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual(done.stderr, "")
                self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
