# SPDX-License-Identifier: MIT
"""A private rspamd for tests, with the rule in it: its configuration, its processes, and scans from any address.

LIBSPF_LUA names the Lua module of the 5.1 ABI, LIBSPF the library, LIBSPF_PRELOAD a sanitizer's run-time library if
they need one.
"""
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PLUGIN = ROOT / "plugins" / "lua" / "rspamd"
sys.path.insert(0, str(HERE.parent))

from daemon import STEP_S, Daemon  # pylint: disable=wrong-import-position
from dns_server import LOOPBACK, DnsServer, Zone  # pylint: disable=wrong-import-position,unused-import

RSPAMD = shutil.which("rspamd", path="/usr/bin:/usr/sbin")
STOCK = pathlib.Path("/usr/share/rspamd/plugins")
LIBRARIES = pathlib.Path("/usr/lib/rspamd")
LANGUAGES = pathlib.Path("/usr/share/rspamd/languages")
CONFIG = pathlib.Path("/etc/rspamd")
SKIPPED = 77
MESSAGE = b"From: Ann <ann@pass.example>\r\nSubject: test\r\nMessage-ID: <1@pass.example>\r\n\r\ntext\r\n"

# Scores and composites are those that rspamd is installed with.
MAIN = """\
options {{
  pidfile = "{folder}/pid"; tempdir = "{folder}"; rundir = "{folder}"; hs_cache_dir = "{folder}";
  cache_file = "{folder}/cache"; control_socket = "{folder}/control mode=0600"; url_tld = "{folder}/tld.dat";
  filters = "{filters}"; local_addrs = ["10.0.0.0/8"]; disable_hyperscan = true; explicit_modules = [];
  task_timeout = {task_timeout}; dns {{ nameserver = ["{dns}"]; timeout = {dns_timeout}; retransmits = 2; }}
}}
logging {{ type = "file"; filename = "{folder}/log"; level = "{level}"; }}
worker "normal" {{ bind_socket = "{host}:{port}"; count = {workers}; {worker} }}
actions {{ reject = 100; add_header = 50; greylist = 40; }}
group "policies" {{ .include "{config}/scores.d/policies_group.conf" }}
.include "{config}/composites.conf"
modules {{ {modules} }}
.include "{plugin}/modules.d/libspf.conf"
spf {{ enabled = {stock}; {stock_settings} }}
dmarc {{ reporting {{ enabled = false; }} }}
dkim {{ }}
# It knows English: to learn all languages takes rspamd two seconds.
lang_detection {{ languages = "{folder}/languages"; }}
{more}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


class Rspamd(Daemon):
    NAME = "rspamd"

    def __init__(self, dns, local="enabled = true;", **options):
        """`local`: what stands in local.d/libspf.conf, or None for no such file. `options` are the blanks of MAIN, and
        `scripts`: texts of Lua plugins, which have their settings' sections in `more`."""
        library, module = os.environ["LIBSPF"], os.environ["LIBSPF_LUA"]
        super().__init__()
        for name in ("lib", "lua", "local.d", "languages", "sanitizer"):
            (self.folder / name).mkdir()
        for name in ("en.json", "stop_words"):
            (self.folder / "languages" / name).symlink_to(LANGUAGES / name)
        shutil.copy(library, self.folder / "lib" / "libspf.so.0")
        shutil.copy(module, self.folder / "lua" / "libspf.so")
        (self.folder / "tld.dat").write_text("example\ncom\nco.uk\n")
        if local is not None:
            (self.folder / "local.d" / "libspf.conf").write_text(local)
        self.port = free_port()
        modules = [PLUGIN / "libspf.lua", STOCK / "spf.lua", *(STOCK / name for name in options.pop("plugins", []))]
        more = options.pop("more", "")
        for name, script in options.pop("scripts", {}).items():
            modules.append(self.folder / f"{name}.lua")
            modules[-1].write_text(script)
            more += f"{name} {{ }}\n"
        blanks = {"filters": "", "level": "info", "task_timeout": "8s", "dns_timeout": "1s", "workers": 1,
                  "worker": "", "stock": "false", "stock_settings": "", **options}
        self.file = self.folder / "rspamd.conf"
        self.file.write_text(MAIN.format(
            folder=self.folder, host=LOOPBACK, port=self.port, config=CONFIG, plugin=PLUGIN, more=more,
            dns=f"{dns.host}:{dns.port}:1",
            modules=" ".join(f'path = "{module}";' for module in modules), **blanks))
        self.environment = {**os.environ, "LD_LIBRARY_PATH": str(self.folder / "lib"),
                            "LUA_CPATH": f"{self.folder}/lua/?.so;;"}
        if os.environ.get("LIBSPF_PRELOAD"):
            log = self.folder / "sanitizer" / "log"
            self.environment.update(
                # rspamd's part that asks libm for its functions without naming it must be there before libm.
                LD_PRELOAD=":".join([os.environ["LIBSPF_PRELOAD"], *map(str, LIBRARIES.glob("librspamd-kann.so"))]),
                ASAN_OPTIONS=f"detect_leaks=0:log_path={log}", UBSAN_OPTIONS=f"print_stacktrace=1:log_path={log}")

    def variables(self):
        return [f"--var=LOCAL_CONFDIR={self.folder}"]

    def test_config(self):
        """What `rspamadm configtest` says, and whether it is content."""
        done = subprocess.run(["rspamadm", *self.variables(), "configtest", "-s", "-c", self.file],
                              env=self.environment, capture_output=True, text=True, timeout=STEP_S, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def start(self):
        self.start_until([RSPAMD, *self.variables(), "-c", self.file, "-f", "-i"],
                         lambda: self.request("GET", "/ping", timeout_s=1))
        self.scan("@localhost")  # a worker's first takes rspamd longer
        return self

    def request(self, method, path, body=None, headers=None, timeout_s=STEP_S):
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, headers or {})
            return connection.getresponse().read()
        finally:
            connection.close()

    def scan(self, sender=None, ip="192.0.2.1", helo="helo.example", message=MESSAGE, **headers):
        """The answer to one message, as rspamd's HTTP protocol gives it."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in (("IP", ip), ("Helo", helo), ("From", sender)):
            if value is not None:
                headers[name] = value
        return json.loads(self.request("POST", "/checkv2", message, headers))

    def scan_at_once(self, questions, message=MESSAGE):
        """The answers to one message with the headers of each question, all on their way before the first is read."""
        poll, sockets, answers = select.epoll(), {}, {}
        for number, headers in enumerate(questions):
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"POST /checkv2 HTTP/1.0\r\n{head}Content-Length: {len(message)}\r\n\r\n"
            connection = socket.create_connection((LOOPBACK, self.port))
            connection.sendall(head.encode() + message)
            sockets[connection.fileno()] = (number, connection)
            answers[number] = b""
            poll.register(connection, select.EPOLLIN)
        end = time.monotonic() + STEP_S
        while sockets:
            for fd, _ in poll.poll(max(0, end - time.monotonic())) or self.fail(f"{len(sockets)} scans do not end"):
                number, connection = sockets[fd]
                data = connection.recv(1 << 16)
                answers[number] += data
                head, _, body = answers[number].partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                if not data or (length and len(body) >= int(length.group(1))):
                    answers[number] = json.loads(body)
                    poll.unregister(fd)
                    sockets.pop(fd)[1].close()
        poll.close()
        return [answers[number] for number in sorted(answers)]

    def fail(self, why):
        raise AssertionError(f"{why}: {self.log()[-3000:]}")

    def symbols(self, *arguments, **options):
        """Symbol to options of one scan."""
        return {name: symbol.get("options", []) for name, symbol in self.scan(*arguments, **options)["symbols"].items()}

    def worker(self):
        """The process that scans."""
        found = re.findall(r"#(\d+)\(normal\)", self.log())
        return int(found[-1])

    def memory_kb(self):
        text = pathlib.Path(f"/proc/{self.worker()}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def log(self):
        return self.read("log")


class RspamdTest(unittest.TestCase):
    """Each test's rspamd ends with no worker lost, and without a word from a sanitizer."""

    def rspamd(self, dns, *arguments, **options):
        one = Rspamd(dns, *arguments, **options)
        self.addCleanup(one.remove)
        self.addCleanup(self.check_quiet, one)
        self.addCleanup(one.stop)
        return one

    def dns(self, zone, **options):
        server = DnsServer(Zone(zone))
        for name, value in options.items():
            setattr(server, name, value)
        self.addCleanup(server.stop)
        return server

    def check_quiet(self, one):
        self.assertEqual(one.sanitizer_log(), "")
        # Helpers of rspamd's own that are ended as soon as they are started end that way.
        self.assertNotRegex(one.log(), r"normal process \d+ terminated abnormally|fatal signal")


def main():
    if os.geteuid() != 0 or RSPAMD is None:
        print("skipped: a private rspamd needs root, and Debian's rspamd")
        sys.exit(SKIPPED)
    unittest.main()
