# SPDX-License-Identifier: MIT
"""A private Dovecot for tests, with the Lua module and the scripts in it: its configuration, its processes, and clients.

LIBSPF_LUA names the Lua module, LIBSPF the library, LIBSPF_PRELOAD a sanitizer's run-time library if they need one.
"""
import base64
import imaplib
import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import socketserver
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SCRIPTS = ROOT / "plugins" / "lua" / "dovecot"
sys.path.insert(0, str(HERE.parent))

from daemon import STEP_S, Daemon  # pylint: disable=wrong-import-position
from dns_server import DnsServer, Zone  # pylint: disable=wrong-import-position,unused-import

DOVECOT = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
MODULES = pathlib.Path("/usr/lib/dovecot/modules")
USER = "nobody"
PASSWORD = "secret"
SKIPPED = 77

MAIN = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
log_timestamp =
instance_name = libspf
protocols = submission imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = dovecot
default_login_user = dovenull
auth_mechanisms = plain cram-md5
auth_failure_delay = 0
auth_username_chars =
hostname = mail.receiver.example
postmaster_address = postmaster@receiver.example
login_trusted_networks = 127.0.0.0/8
mail_location = maildir:{folder}/mail/%n
mail_uid = {user}
mail_gid = {group}
first_valid_gid = 1
shutdown_clients = yes
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
import_environment = $import_environment LUA_PATH LUA_CPATH LD_LIBRARY_PATH LIBSPF_DOVECOT{sanitizer}
userdb {{
  driver = static
  args = home={folder}/home/%n allow_all_users=yes
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {submission}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""

PASSWORDS = """
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
"""
INSTALLED = "/usr/local/share/libspf/dovecot"


def readme_block(marker, language="dovecot"):
    """The configuration that the README gives to be pasted, as it stands there, which has this in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", (SCRIPTS / "README.md").read_text(), flags=re.S | re.M)
    return next(block for block in blocks if marker in block)


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Relay:
    """The server that submissions go to: it takes everything."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.say("220 relay.example ESMTP")
            is_data = False
            while line := self.rfile.readline():
                word = line.strip().upper()
                if is_data:
                    if word == b".":
                        is_data = False
                        self.say("250 2.0.0 taken")
                elif word == b"DATA":
                    is_data = True
                    self.say("354 go on")
                elif word.startswith(b"EHLO"):
                    self.say("250-relay.example\r\n250 8BITMIME")
                elif word == b"QUIT":
                    self.say("221 2.0.0 bye")
                    return
                else:
                    self.say("250 2.0.0 fine")

        def say(self, reply):
            self.wfile.write(reply.encode() + b"\r\n")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    def __init__(self):
        self.server = self.Server(("127.0.0.1", 0), self.Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Dovecot(Daemon):
    NAME = "Dovecot"

    def __init__(self, dns, config, settings=None):
        """`config`: Dovecot's, where FOLDER and SCRIPTS stand for the folders of this Dovecot and of the scripts.
        `settings`: name of a script to the lines of its settings file."""
        library, module = os.environ["LIBSPF"], os.environ["LIBSPF_LUA"]
        super().__init__()
        self.log_start = 0
        self.relay = Relay()
        owner = pwd.getpwnam(USER)
        self.folder.chmod(0o755)
        for name in ("run", "state", "lib", "lua", "settings", "scripts", "sieve", "bin"):
            (self.folder / name).mkdir()
        for name in ("mail", "home", "sanitizer"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, owner.pw_uid, owner.pw_gid)
        (self.folder / "sanitizer").chmod(0o777)
        # The users of Dovecot's processes may not be able to look into the folder of a build.
        shutil.copy(library, self.folder / "lib" / "libspf.so.0")
        shutil.copy(module, self.folder / "lua" / "libspf.so")
        shutil.copytree(SCRIPTS, self.folder / "scripts", dirs_exist_ok=True)
        self.wrap("spf-sieve")
        self.submission, self.imap, self.lmtp = free_ports(3)
        self.resolver(dns)
        for name, lines in (settings or {}).items():
            self.configure(name, lines)
        self.environment = {**os.environ, **self.lua_environment()}
        sanitizer = ""
        if os.environ.get("LIBSPF_PRELOAD"):
            sanitizer = " LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS"
            config += "\ndefault_vsz_limit = 0\nservice lmtp {\n  vsz_limit = 0\n}\nservice auth-worker {\n  vsz_limit = 0\n}\n"
        self.file = self.folder / "dovecot.conf"
        self.file.write_text(MAIN.format(
            folder=self.folder, user=USER, group=owner.pw_gid, relay=self.relay.port, submission=self.submission,
            imap=self.imap, lmtp=self.lmtp, sanitizer=sanitizer) + self.named(config))

    def named(self, text):
        """What the README and the tests name, as it is here; a failed login need not wait for Dovecot's delay."""
        for name, here in {f"{INSTALLED}/sieve": "FOLDER/bin", INSTALLED: "FOLDER/scripts",
                           "/etc/dovecot/sieve": "FOLDER/sieve",
                           "driver = passwd-file\n  args = /etc/dovecot/users":
                               f"driver = static\n  args = password={PASSWORD} nodelay=y",
                           "FOLDER": str(self.folder)}.items():
            text = text.replace(name, here)
        return text

    def lua_environment(self):
        wanted = {"LUA_PATH": f"{self.folder}/scripts/?.lua;;", "LUA_CPATH": f"{self.folder}/lua/?.so;;",
                  "LD_LIBRARY_PATH": f"{self.folder}/lib", "LIBSPF_DOVECOT": f"{self.folder}/settings"}
        if os.environ.get("LIBSPF_PRELOAD"):
            log = self.folder / "sanitizer" / "log"
            wanted.update(LD_PRELOAD=os.environ["LIBSPF_PRELOAD"], ASAN_OPTIONS=f"detect_leaks=0:log_path={log}",
                          UBSAN_OPTIONS=f"print_stacktrace=1:log_path={log}")
        return wanted

    def wrap(self, name):
        """A program for Sieve, which Dovecot starts with hardly an environment."""
        program = self.folder / "bin" / name
        exports = "".join(f"export {key}='{value}'\n" for key, value in self.lua_environment().items())
        program.write_text(f'#!/bin/sh\n{exports}exec lua5.4 {self.folder}/scripts/{name} "$@"\n')
        program.chmod(0o755)

    def resolver(self, dns, config="libspf.conf"):
        (self.folder / config).write_text(f"resolver: {dns.resolver}\nreceiver: mail.receiver.example\n")

    def configure(self, name, lines, config="libspf.conf"):
        text = "".join(line + "\n" for line in [f"config: FOLDER/{config}", *lines])
        file = self.folder / "settings" / f"{name}.conf"
        fresh = file.with_suffix(".new")
        fresh.write_text(self.named(text))
        fresh.rename(file)

    # ------------------------------------------------------------------------------------------------- as a daemon

    def start(self):
        def ask():
            for port in (self.submission, self.imap, self.lmtp):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()

        return self.start_until([DOVECOT, "-c", self.file, "-F"], ask)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def remove(self):
        super().remove()
        self.relay.stop()

    def whole_log(self):
        return self.read("dovecot.log")

    def log(self):
        return self.whole_log()[self.log_start:]

    def forget_log(self):
        self.log_start = len(self.whole_log())

    def waited_log(self, wanted, count=1):
        """The log, as soon as it has this so often: lines of other processes come when they come."""
        end = time.monotonic() + STEP_S
        while self.log().count(wanted) < count:
            if time.monotonic() > end:
                raise AssertionError(f"not in the log: {wanted}\n{self.log()}")
            time.sleep(0.02)
        return self.log()

    # ------------------------------------------------------------------------------------------------------ clients

    def doveadm(self, *arguments):
        return subprocess.run(["doveadm", "-c", self.file, *arguments], env=os.environ, timeout=STEP_S, check=False,
                              capture_output=True, text=True).stdout

    def auth_test(self, user, password=PASSWORD, service="submission"):
        """What `doveadm auth test` says: "succeeded", or the code of what failed, or "failed"."""
        end = time.monotonic() + STEP_S
        while True:
            said = self.doveadm("auth", "test", "-x", f"service={service}", user, password)
            verdict = re.search(r"\bcode=(\S+)", said) or re.search(r" auth (\w+)", said)
            if verdict:
                return verdict.group(1)
            if time.monotonic() > end:
                raise AssertionError(f"no verdict: {said}\n{self.log()}")

    def submit(self, user, password=PASSWORD):
        """A submission: the reply to AUTH, or the last reply of a message that was taken."""
        end = time.monotonic() + STEP_S
        while True:
            try:
                return self.try_to_submit(user, password)
            except (smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected):
                # Its auth process was just replaced after a reload.
                if time.monotonic() > end:
                    raise

    def try_to_submit(self, user, password):
        with smtplib.SMTP("127.0.0.1", self.submission, timeout=STEP_S, local_hostname="client.example") as smtp:
            smtp.ehlo()
            token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            code, text = smtp.docmd("AUTH", "PLAIN " + token)
            if code == 235:
                smtp.sendmail("ann@sender.example", ["bob@elsewhere.example"], "Subject: test\r\n\r\ntext\r\n")
                code, text = smtp.noop()
            return code, text.decode()

    def imap_login(self, user, password=PASSWORD):
        imap = imaplib.IMAP4("127.0.0.1", self.imap, timeout=STEP_S)
        try:
            return imap.login(user, password)[0]
        except imaplib.IMAP4.error as why:
            return str(why)
        finally:
            imap.shutdown()

    def deliver(self, sender, recipient, message, client=None, helo=None):
        """An LMTP delivery: the reply for the recipient. With a client, XCLIENT tells who brought the message."""
        with smtplib.LMTP("127.0.0.1", self.lmtp, timeout=STEP_S, local_hostname="mx.receiver.example") as lmtp:
            lmtp.ehlo()
            if client:
                address = ("IPV6:" if ":" in client else "") + client
                code, text = lmtp.docmd("XCLIENT", f"ADDR={address}" + (f" HELO={helo}" if helo else ""))
                if code != 220:
                    raise AssertionError(f"XCLIENT: {code} {text}")
                if not helo:  # LHLO would tell another name
                    lmtp.ehlo()
            lmtp.mail(sender)
            code, text = lmtp.rcpt(recipient)
            if code // 100 == 2:
                code, text = lmtp.data(message.replace("\n", "\r\n"))
            return code, text.decode()

    def mails(self, user, folder=""):
        place = self.folder / "mail" / user / folder
        files = [file for kind in ("new", "cur") for file in sorted((place / kind).glob("*"))]
        return {file.name.split(":")[0]: file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n") for file in files}


class DovecotTest(unittest.TestCase):
    """Each Dovecot, a test's own or a class's, ends without a crash, and without a word from a sanitizer."""

    def dovecot(self, dns, config, settings=None):
        dovecot = Dovecot(dns, config, settings)
        self.addCleanup(end, dovecot)
        return dovecot

    @classmethod
    def class_dovecot(cls, dns, config, settings=None):
        dovecot = Dovecot(dns, config, settings)
        cls.addClassCleanup(end, dovecot)
        return dovecot.start()

    def dns(self, names):
        dns = DnsServer(Zone(names))
        self.addCleanup(dns.stop)
        return dns

    @classmethod
    def class_dns(cls, names):
        dns = DnsServer(Zone(names))
        cls.addClassCleanup(dns.stop)
        return dns


# A process that was only just starting when Dovecot was told to end finds nobody who tells it its configuration.
CRASH = re.compile(r"(?m)^.*(?:Panic|Fatal: (?!Error reading configuration)|killed with signal|core dumped|lua_pcall).*")


def end(dovecot):
    try:
        dovecot.stop()
        crash = CRASH.search(dovecot.whole_log())
        if crash or dovecot.sanitizer_log():
            raise AssertionError((crash.group(0) if crash else "") + dovecot.sanitizer_log())
    finally:
        dovecot.remove()


def main(*modules):
    """`modules`: files of Dovecot's that the tests need."""
    missing = [name for name in modules if not (MODULES / name).exists()]
    if os.geteuid() != 0 or DOVECOT is None or missing:
        print("skipped: a private Dovecot needs root, and Debian's packages dovecot-core, -auth-lua, -submissiond, -imapd,"
              " -lmtpd and -sieve")
        sys.exit(SKIPPED)
    unittest.main()
