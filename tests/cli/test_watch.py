#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`spf flatten --watch` and its dynamic updates against BIND: a zone that changes, fails, comes back, and is updated."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

SPF = os.environ["SPF"]
NAMED = "/usr/sbin/named"
PATIENCE = 60  # seconds until a test gives up waiting for what must come

KEY = 'key "update" { algorithm hmac-sha256; secret "%s"; };\n'
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_SECRET = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="

CONFIG = """\
options { directory "%(folder)s"; listen-on port %(port)d { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none;
    recursion no; dnssec-validation no; notify no; session-keyfile "%(folder)s/session.key"; };
controls { };
include "%(folder)s/update.key";
zone "example.com" { type primary; file "%(folder)s/example.com"; allow-update { key "update"; }; };
"""
PROVIDER = 'zone "example.net" { type primary; file "%(folder)s/example.net"; allow-update { key "update"; }; };\n'

EXAMPLE_COM = """\
$TTL 1
@ IN SOA ns hostmaster 1 3600 600 86400 1
@ IN NS ns
ns IN A 127.0.0.1
@ IN TXT "verification=1; \\"quoted\\""
@ IN TXT "v=spf1 ip4:203.0.113.1 -all"
source IN TXT "v=spf1 include:spf.example.net ~all"
"""
EXAMPLE_NET = """\
$TTL 1
@ IN SOA ns hostmaster 1 3600 600 86400 1
@ IN NS ns
ns IN A 127.0.0.1
spf 0 IN TXT "v=spf1 ip4:192.0.2.0/24 a:mail.example.net -all"
mail IN A 198.51.100.1
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_until(condition, what):
    """Waits for what must come sooner or later."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("not seen: " + what)


class Server:
    """BIND on loopback, in the foreground."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        # A copy: where AppArmor confines BIND to its own folders, it does so by the path of the program.
        self.program = shutil.copy(NAMED, folder / "named")
        (folder / "update.key").write_text(KEY % SECRET)
        (folder / "wrong.key").write_text(KEY % OTHER_SECRET)
        (folder / "example.com").write_text(EXAMPLE_COM)
        (folder / "example.net").write_text(EXAMPLE_NET)
        for _ in range(5):  # somebody else may have taken the port
            self.port = free_port()
            if self.start():
                return
        raise AssertionError((folder / "named.log").read_text())

    def configure(self, has_provider):
        (self.folder / "named.conf").write_text((CONFIG + (PROVIDER if has_provider else "")) %
                                                {"folder": self.folder, "port": self.port})

    def start(self):
        self.configure(True)
        with open(self.folder / "named.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.program, "-g", "-c", self.folder / "named.conf"], stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            if self.txt("example.com") and self.txt("spf.example.net"):
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def stop(self):
        self.process.terminate()
        self.process.wait()

    @property
    def address(self):
        return "127.0.0.1@%d" % self.port

    def dig(self, *arguments):
        return subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+time=1", "+tries=1", *arguments],
                              capture_output=True, text=True, check=False).stdout

    def txt(self, name):
        return sorted(self.dig("+short", "TXT", name).splitlines())

    def spf(self, name="example.com"):
        """The policy of a name without its quotes; several are told apart by a bar."""
        return "|".join(line.strip('"') for line in self.txt(name) if line.startswith('"v=spf1'))

    def set_provider(self, present):
        """Without its zone the server refuses to answer for it."""
        self.configure(present)
        self.process.send_signal(signal.SIGHUP)
        expected = "NOERROR" if present else "REFUSED"
        wait_until(lambda: "status: %s" % expected in self.dig("TXT", "spf.example.net"), expected)

    def update(self, *lines):
        text = "\n".join(["server 127.0.0.1 %d" % self.port, *lines, "send", ""])
        subprocess.run(["nsupdate", "-k", self.folder / "update.key"], input=text, text=True, check=True)

    def set_policy(self, text, ttl=0):
        self.update("zone example.net", "update delete spf.example.net. TXT",
                    'update add spf.example.net. %d TXT "%s"' % (ttl, text))


class Watcher:
    """`spf flatten` in the background; what it says is there at once."""

    def __init__(self, server, *arguments):
        self.process = subprocess.Popen(
            [SPF, "flatten", "example.com", "--resolver", server.address, "--min-interval", "1", "--max-interval", "1",
             *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = []
        self.printed = []
        self.readers = [threading.Thread(target=self.read, args=(stream, lines), daemon=True) for stream, lines in
                        ((self.process.stderr, self.said), (self.process.stdout, self.printed))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, lines):
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))

    def has_said(self, part, times=1):
        return sum(part in line for line in self.said) >= times

    def hurry(self):
        self.process.send_signal(signal.SIGHUP)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self.close()
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()


@unittest.skipUnless(os.access(NAMED, os.X_OK), "BIND is not installed")
class Watch(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.server = Server(self.folder)
        self.addCleanup(self.server.stop)

    def watch(self, *arguments):
        watcher = Watcher(self.server, "--watch", *arguments)
        self.addCleanup(watcher.close)
        return watcher

    def flatten_once(self, *arguments):
        flattening = Watcher(self.server, *arguments)
        self.addCleanup(flattening.close)
        return flattening.process.wait(PATIENCE)

    def update_arguments(self, key="update.key"):
        return ["--from", "source.example.com", "--nsupdate", "--server", self.server.address, "--update-zone",
                "example.com", "--key", self.folder / key, "--ttl", "1"]

    def wait_for_policy(self, text):
        wait_until(lambda: self.server.spf() == text, text)

    def test_updates_follow_a_zone_that_changes_fails_and_comes_back(self):
        watcher = self.watch(*self.update_arguments())
        self.wait_for_policy("v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 ~all")
        # What else the name publishes is still there, as it was.
        self.assertIn('"verification=1; \\"quoted\\""', self.server.txt("example.com"))
        self.assertEqual(len(self.server.txt("example.com")), 2)
        wait_until(lambda: watcher.has_said("added ip4:192.0.2.0/24 ip4:198.51.100.1 ~all"), "the first change")

        self.server.set_policy("v=spf1 ip4:192.0.2.0/25 a:mail.example.net -all", ttl=1)
        self.wait_for_policy("v=spf1 ip4:192.0.2.0/25 ip4:198.51.100.1 ~all")
        wait_until(lambda: watcher.has_said("added ip4:192.0.2.0/25; removed ip4:192.0.2.0/24"), "what changed")

        self.server.update("zone example.net", "update add mail.example.net. 1 A 198.51.100.0")
        self.wait_for_policy("v=spf1 ip4:192.0.2.0/25 ip4:198.51.100.0/31 ~all")

        # A provider that cannot be asked any more takes no address away, however often it fails.
        self.server.set_provider(False)
        wait_until(lambda: watcher.has_said("what was published last stays", 2), "that it fails")
        self.assertEqual(self.server.spf(), "v=spf1 ip4:192.0.2.0/25 ip4:198.51.100.0/31 ~all")
        self.server.set_provider(True)
        wait_until(lambda: watcher.has_said("nothing has changed"), "that it is back")
        self.server.set_policy("v=spf1 ip4:203.0.113.0/24 -all")
        self.wait_for_policy("v=spf1 ip4:203.0.113.0/24 ~all")
        self.assertEqual(watcher.end(), 0)

    def test_an_include_that_vanishes_takes_no_address_away(self):
        watcher = self.watch(*self.update_arguments())
        self.wait_for_policy("v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 ~all")
        self.server.update("zone example.net", "update delete spf.example.net. TXT")
        wait_until(lambda: watcher.has_said("its domain does not exist: mail gets permerror; what was published last "
                                            "stays", 2), "that it is gone")
        self.server.update("zone example.net", "update add spf.example.net. 1 A 192.0.2.1")
        wait_until(lambda: watcher.has_said("its domain has no SPF record: mail gets permerror; what was published "
                                            "last stays"), "that it has no record")
        self.assertEqual(self.server.spf(), "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 ~all")
        self.server.set_policy("v=spf1 ip4:203.0.113.0/24 -all", ttl=1)
        self.wait_for_policy("v=spf1 ip4:203.0.113.0/24 ~all")
        self.assertEqual(watcher.end(), 0)

    def test_a_long_policy_is_updated_in_several_records(self):
        networks = ["ip4:203.0.%d.0/24" % (2 * i + 1) for i in range(50)]
        self.server.update("zone example.net", "update delete spf.example.net. TXT",
                           *('update add spf%d.example.net. 1 TXT "v=spf1 %s -all"' %
                             (i, " ".join(networks[10 * i:10 * i + 10])) for i in range(5)),
                           'update add spf.example.net. 1 TXT "v=spf1 %s -all"' %
                           " ".join("include:spf%d.example.net" % i for i in range(5)))
        watcher = self.watch(*self.update_arguments())
        wait_until(lambda: "include:_spf" in self.server.spf(), "further records")
        self.assertEqual(watcher.end(), 0)
        names = [word[len("include:"):] for word in self.server.spf().split() if word.startswith("include:")]
        texts = [self.server.spf()] + ["".join(self.server.spf(name).split('" "')) for name in names]
        found = [word for text in texts for word in text.split() if word.startswith("ip4:")]
        self.assertEqual(sorted(found), sorted(networks))

    def test_an_update_that_is_refused_is_tried_again(self):
        watcher = self.watch(*self.update_arguments(key="wrong.key"))
        wait_until(lambda: watcher.has_said("not published; another attempt follows", 2), "two attempts")
        self.assertEqual(watcher.end(signal.SIGINT), 0)
        self.assertEqual(self.server.spf(), "v=spf1 ip4:203.0.113.1 -all")
        self.assertEqual(self.flatten_once(*self.update_arguments(key="wrong.key")), 2)

    def test_a_single_update(self):
        self.assertEqual(self.flatten_once(*self.update_arguments()), 0)
        self.assertEqual(self.server.spf(), "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 ~all")

    def test_without_knowing_what_is_there_nothing_is_overwritten(self):
        record = ["--record", "v=spf1 ip4:192.0.2.1 -all", "--format", "nsupdate"]
        script = subprocess.run([SPF, "flatten", "example.com", "--resolver", "127.0.0.1@%d" % free_port(), "--timeout",
                                 "1", *record], capture_output=True, text=True, check=True).stdout
        self.assertIn("prereq nxrrset example.com. TXT", script)
        done = subprocess.run(["nsupdate", "-k", self.folder / "update.key"], capture_output=True, text=True,
                              input="server 127.0.0.1 %d\n%s" % (self.server.port, script), check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("YXRRSET", done.stderr)
        self.assertEqual(self.server.spf(), "v=spf1 ip4:203.0.113.1 -all")

    def test_a_command_gets_each_new_draft(self):
        out = self.folder / "out"
        watcher = self.watch("--from", "source.example.com", "--exec", "cat >%s.new && mv %s.new %s" % (out, out, out))
        wait_until(out.exists, "the command's output")
        wait_until(lambda: watcher.has_said(": published"), "its end")
        self.assertIn("example.com: v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 ~all\n", out.read_text())
        self.server.set_policy("v=spf1 ip6:2001:db8::/32 -all")
        watcher.hurry()
        wait_until(lambda: "ip6:2001:db8::/32 ~all" in out.read_text(), "the new draft")
        self.assertEqual(watcher.end(), 0)

    def test_a_command_that_fails_is_run_again(self):
        count = self.folder / "count"
        watcher = self.watch("--from", "source.example.com", "--format", "zone", "--exec",
                             'echo "$SPF_DOMAIN $SPF_FORMAT" >>%s; test "$(wc -l <%s)" -gt 2' % (count, count))
        wait_until(lambda: watcher.has_said(": published"), "success")
        self.assertTrue(watcher.has_said("--exec: ended with status 1", 2))
        self.assertEqual(count.read_text(), "example.com zone\n" * 3)
        self.assertEqual(watcher.end(), 0)

    def test_a_hangup_while_the_command_runs_asks_after_it(self):
        started, go_on = self.folder / "started", self.folder / "go_on"
        watcher = self.watch("--from", "source.example.com", "--max-interval", "86400", "--min-interval", "86400",
                             "--exec", "touch %s; until test -e %s; do sleep 0.05; done" % (started, go_on))
        wait_until(started.exists, "the command")
        self.server.set_policy("v=spf1 -all")
        watcher.hurry()
        go_on.touch()
        wait_until(lambda: watcher.has_said(": published", 2), "the second round")
        self.assertEqual(watcher.end(), 0)

    def test_the_end_reaches_the_command(self):
        started = self.folder / "started"
        watcher = self.watch("--from", "source.example.com", "--exec", "touch %s; exec sleep 1000" % started)
        wait_until(started.exists, "the command")
        self.assertEqual(watcher.end(), 0)

    def test_output_that_cannot_be_written_ends_it(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([SPF, "flatten", "example.com", "--resolver", self.server.address, "--watch"],
                                  stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 70)
        self.assertIn("cannot write the output: No space left on device", done.stderr)

    def test_without_a_command_it_prints_and_a_hangup_asks_at_once(self):
        watcher = self.watch("--record", "v=spf1 include:spf.example.net -all", "--format", "zone", "--max-interval",
                             "86400", "--min-interval", "86400")
        wait_until(lambda: watcher.printed, "the first line")
        self.server.set_policy("v=spf1 -all")
        watcher.hurry()
        wait_until(lambda: len(watcher.printed) > 1, "the second line")
        self.assertEqual(watcher.printed, ['example.com. IN TXT "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 -all"',
                                           'example.com. IN TXT "v=spf1 -all"'])
        self.assertEqual(watcher.end(), 0)


if __name__ == "__main__":
    unittest.main()
