# SPDX-License-Identifier: MIT
"""A private Exim for tests, with the plugin in it: its configuration, its processes, and SMTP clients of any address.

LIBSPF_EXIM names the plugin, LIBSPF the library, LIBSPF_PRELOAD a sanitizer's run-time library if they need one.
"""
import base64
import grp
import hashlib
import os
import pathlib
import pwd
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

from daemon import STEP_S, Daemon  # pylint: disable=wrong-import-position
from dns_server import DnsServer  # pylint: disable=wrong-import-position

EXIM = shutil.which("exim4", path="/usr/sbin:/usr/bin")
USER = "Debian-exim"
HOSTNAME = "mx.receiver.example"
SKIPPED = 77

MAIN = """\
LIBSPF = {plugin}
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = {hostname}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
tls_advertise_hosts =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
hosts_proxy = 127.0.0.1
hosts_require_helo =
queue_only
smtp_accept_max = 60
helo_accept_junk_hosts = *
helo_allow_chars = _
hostlist relay_from_hosts = 192.0.2.250
acl_smtp_connect = acl_test_connect
acl_smtp_rcpt = acl_test_rcpt
{main}

begin acl
acl_test_connect:
  accept set acl_c_spf = ${{dlfunc{{LIBSPF}}{{spf_config}}{{{folder}/libspf.conf}}}}
acl_test_rcpt:
  accept
{acl}

begin routers
all:
  driver = accept
  transport = folder

begin transports
folder:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  user = Debian-exim

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = yes
"""


def readme_acl():
    """The ACL that the README gives to be pasted, as it stands there."""
    text = (ROOT / "plugins" / "exim" / "README.md").read_text()
    return re.search(r"^```exim\n(acl_check_mail:\n.*?)^```", text, flags=re.S | re.M).group(1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


LONG_TEXTS = tempfile.TemporaryDirectory(prefix="libspf-exim-")
LONG = 1000


def quoted(text):
    """Octets as they are written in an expansion, whatever they are; it must not be longer than about 30000."""
    octets = text if isinstance(text, bytes) else text.encode("utf-8")
    if len(octets) > LONG:
        file = pathlib.Path(LONG_TEXTS.name) / hashlib.sha256(octets).hexdigest()
        file.write_bytes(octets)
        return "${readfile{%s}}" % file
    return "".join(chr(octet) if chr(octet).isalnum() and octet < 128 else "\\x%02x" % octet for octet in octets)


def port_53():
    """A DNS server on port 53 of an address of loopback; None if there is none."""
    for last in range(2, 250):
        try:
            return DnsServer(address=f"127.53.0.{last}", port=53)
        except OSError:
            continue
    return None


def continued(line):
    """A line of any length as `exim -be` reads it: in lines that end in a backslash."""
    parts = [""]
    for token in re.findall(r"\\x[0-9a-f]{2}|\\.|[^\\]", line):
        if len(parts[-1]) > 900 and token != " ":
            parts.append("")
        parts[-1] += token
    return "\\\n".join(parts) + "\n"


def call(function, *arguments):
    return "${dlfunc{LIBSPF}{%s}%s}" % (function, "".join("{%s}" % quoted(argument) for argument in arguments))


class Exim(Daemon):
    NAME = "Exim"

    def __init__(self, config, main="", acl=""):
        """`config`: lines of libspf.conf. FOLDER in the others stands for this Exim's own."""
        super().__init__()
        self.before = []
        user, group = pwd.getpwnam(USER).pw_uid, grp.getgrnam(USER).gr_gid
        self.folder.chmod(0o755)
        for name in ("spool", "log", "mail", "sanitizer", "lib"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, user, group)
        # Exim's user may not be able to look into the folder of a build.
        shutil.copy(os.environ["LIBSPF"], self.folder / "lib" / "libspf.so.0")
        self.plugin = self.folder / "lib" / "libspf_exim.so"
        shutil.copy(os.environ["LIBSPF_EXIM"], self.plugin)
        self.port = free_port()
        self.configure(config)
        self.file = self.folder / "exim.conf"
        text = MAIN.format(plugin=self.plugin, hostname=HOSTNAME, folder=self.folder, port=self.port, main=main,
                           acl=acl)
        self.file.write_text(text.replace("FOLDER", str(self.folder)))
        self.environment = {**os.environ, "LD_LIBRARY_PATH": str(self.folder / "lib")}
        if os.environ.get("LIBSPF_PRELOAD"):
            log = self.folder / "sanitizer" / "log"
            self.environment.update(
                LD_PRELOAD=os.environ["LIBSPF_PRELOAD"],
                ASAN_OPTIONS=f"detect_leaks=0:log_path={log}", UBSAN_OPTIONS=f"print_stacktrace=1:log_path={log}")

    def configure(self, config):
        (self.folder / "libspf.conf").write_text("".join(line + "\n" for line in config))

    def use_system_resolver(self, dns):
        """From now on Exim sees an /etc/resolv.conf of its own, which names a server that has port 53."""
        file = self.folder / "resolv.conf"
        file.write_text(f"nameserver {dns.host}\noptions timeout:1 attempts:2\n")
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        self.before = ["unshare", "-m", "sh", "-c", script, file]

    def run(self, *arguments, **options):
        return subprocess.run([*self.before, EXIM, "-C", self.file, *arguments], timeout=STEP_S, env=self.environment,
                              **options)

    # ------------------------------------------------------------------------------------------- without a network

    def expand(self, *expressions, config=True):
        """What they expand to, in one process; "Failed: ..." if one does not."""
        first = [call("spf_config", str(self.folder / "libspf.conf"))] if config else []
        wanted = [*first, *expressions]
        text = "".join(continued("${base64:%s}" % one.replace("LIBSPF", str(self.plugin))) for one in wanted)
        done = self.run("-be", input=text, capture_output=True, text=True, check=False)
        answers = [line[2:] for line in done.stdout.split("\n")[:-1]]
        if done.returncode or len(answers) != len(wanted) + 1:
            raise AssertionError(f"exim -be: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr}")
        return [answer if answer.startswith("Failed: ") else base64.b64decode(answer).decode("utf-8")
                for answer in answers[len(first):-1]]

    def session(self, client, *lines):
        """An SMTP session as `exim -bh` plays it: the replies, and the trace with what would have been logged."""
        text = "".join(line + "\r\n" for line in [*lines, "QUIT"])
        done = self.run("-bh", client, input=text.encode("utf-8"), capture_output=True, check=False)
        return done.stdout.decode("latin-1").replace("\r\n", "\n"), done.stderr.decode("latin-1")

    # ------------------------------------------------------------------------------------------------- as a daemon

    def start(self):
        def ask():
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()

        return self.start_until([*self.before, EXIM, "-C", self.file, "-bdf"], ask)

    def log(self):
        return self.read("log/mainlog") + self.panic_log()

    def panic_log(self):
        return self.read("log/paniclog")

    def queued(self):
        return [file for file in (self.folder / "spool" / "input").rglob("*-H")]

    def delivered(self):
        """The messages in the queue, delivered by root: Exim's own user may not choose a configuration."""
        self.run("-qff", check=True)
        if self.queued():
            raise AssertionError(f"not delivered\n{self.log()}")
        files = list((self.folder / "mail" / "new").glob("*"))
        messages = [file.read_bytes().decode("latin-1") for file in files]
        for file in files:
            file.unlink()
        return messages


class Smtp:
    """One connection from any address."""

    def __init__(self, exim, client="192.0.2.1", helo="client.example", timeout_s=STEP_S):
        family = "TCP6" if ":" in client else "TCP4"
        server = "2001:db8::1" if ":" in client else "127.0.0.1"
        self.socket = socket.create_connection(("127.0.0.1", exim.port), timeout=timeout_s)
        self.buffer = b""
        self.socket.sendall(f"PROXY {family} {client} {server} 40000 25\r\n".encode())
        self.greeting = self.reply()
        self.hello = self.command(f"EHLO {helo}") if helo is not None else None

    def line(self):
        while b"\r\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise AssertionError("the connection was closed")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines

    def is_quiet(self):
        """Whether nothing more has come than was asked for."""
        return not self.buffer and not select.select([self.socket], [], [], 0.1)[0]

    def command(self, line):
        self.socket.sendall((line if isinstance(line, bytes) else line.encode("latin-1")) + b"\r\n")
        return self.reply()

    def send(self, sender, body="Subject: test\r\n\r\ntext"):
        """The replies up to the one that refuses the message or the last one."""
        replies = []
        for line in (f"MAIL FROM:<{sender}>", "RCPT TO:<rcpt@receiver.example>", "DATA", body + "\r\n."):
            replies.append(self.command(line))
            if replies[-1][0][0] not in "23":
                break
        return replies

    def close(self):
        try:
            self.command("QUIT")
        except (AssertionError, OSError):
            pass
        self.socket.close()


def needs_mount_namespace(thing):
    """Exim's own SPF asks whom /etc/resolv.conf names, and no other."""
    made = subprocess.run(["unshare", "-m", "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return unittest.skipIf(made.returncode, "no mount namespace can be made here for an /etc/resolv.conf of Exim's own")(
        thing)


class EximTest(unittest.TestCase):
    """Each test's Exim ends with an empty panic log, and without a word from a sanitizer."""

    def exim(self, config, main="", acl=""):
        exim = Exim(config, main, acl)
        self.addCleanup(exim.remove)
        self.addCleanup(self.check_quiet, exim)
        self.addCleanup(exim.stop)
        return exim

    def check_quiet(self, exim):
        self.assertEqual(exim.sanitizer_log(), "")
        self.assertEqual(exim.panic_log(), "")

    def smtp(self, *arguments, **options):
        connection = Smtp(*arguments, **options)
        self.addCleanup(connection.close)
        return connection


def main():
    if os.geteuid() != 0 or EXIM is None:
        print("skipped: a private Exim needs root, and Debian's exim4-daemon-heavy")
        sys.exit(SKIPPED)
    unittest.main()
