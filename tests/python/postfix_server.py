# SPDX-License-Identifier: MIT
"""A private Postfix: the installed one, or Debian's package unpacked beside whatever MTA the machine has."""
import contextlib
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from typing import Dict, Iterator, List

STEP_S = 60
OWNER, GROUP, RECEIVER = "games", "voice", "nobody"  # accounts that every Debian has and nobody uses
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid",
          "private", "public", "saved", "trace")

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = {commands}
shlib_directory = {libraries}
mail_owner = {owner}
setgid_group = {group}
myhostname = mx.receiver.example
mydestination = receiver.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 192.0.2.250/32
smtpd_authorized_xclient_hosts = 127.0.0.1
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
import_environment = MAIL_CONFIG LD_LIBRARY_PATH POSTLOG_SERVICE POSTLOG_HOSTNAME LANG=C
alias_maps =
local_recipient_maps =
local_transport = keep
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_policy_service_retry_delay = 1s
{main}
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
keep unix - n n - 1 pipe user={receiver} argv={folder}/keep
"""


class Unavailable(Exception):
    """Why no Postfix can run here."""


def find(folder: pathlib.Path) -> pathlib.Path:
    """The root of a Postfix's files: / if it is installed, else where its package is unpacked."""
    if os.geteuid() != 0:
        raise Unavailable("Postfix's master needs root")
    if os.path.exists("/usr/lib/postfix/sbin/master"):
        return pathlib.Path("/")
    try:
        subprocess.run(["apt-get", "download", "postfix"], cwd=folder, check=True, capture_output=True, timeout=STEP_S)
        package = next(folder.glob("postfix_*.deb"))
        subprocess.run(["dpkg", "-x", str(package), str(folder / "root")], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        raise Unavailable(f"Debian's package postfix cannot be had: {error}") from error
    return folder / "root"


class Postfix:
    """One instance in a folder of its own; `main` is added to its main.cf."""

    def __init__(self, folder: pathlib.Path, root: pathlib.Path, main: str) -> None:
        self.folder, self.root = folder, root
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(root / "usr/lib/postfix"),
                            "MAIL_CONFIG": str(folder / "conf")}
        values = {
            "folder": folder, "daemons": root / "usr/lib/postfix/sbin", "commands": root / "usr/sbin",
            "libraries": root / "usr/lib/postfix", "owner": OWNER, "group": GROUP, "receiver": RECEIVER,
            "port": self.port, "main": main,
        }
        self.lay_out()
        (folder / "conf" / "main.cf").write_text(MAIN.format(**values))
        (folder / "conf" / "master.cf").write_text(MASTER.format(**values))
        keep = folder / "keep"
        keep.write_text(f"#!/bin/sh\nexec cat >>{folder}/kept/mail\n")
        keep.chmod(0o755)

    def lay_out(self) -> None:
        for name, owner in (("conf", "root"), ("queue", "root"), ("data", OWNER), ("kept", RECEIVER)):
            (self.folder / name).mkdir()
            shutil.chown(self.folder / name, owner)
        for name in QUEUES:
            path = self.folder / "queue" / name
            path.mkdir()
            if name != "pid":
                shutil.chown(path, OWNER)
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            path = self.folder / "queue" / name
            shutil.chown(path, OWNER, GROUP)
            path.chmod(mode)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        master = str(self.root / "usr/lib/postfix/sbin/master")
        with subprocess.Popen([master, "-c", str(self.folder / "conf"), "-d"], env=self.environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            try:
                self.wait_for_banner(process)
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=STEP_S)

    def wait_for_banner(self, process: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + STEP_S
        while True:
            if process.poll() is not None:
                assert process.stderr is not None
                raise Unavailable("Postfix ended at once: " + process.stderr.read() + self.log())
            try:
                with smtplib.SMTP("127.0.0.1", self.port, "probe.example", timeout=STEP_S):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    @contextlib.contextmanager
    def client(self, address: str, helo: str) -> Iterator[smtplib.SMTP]:
        """An SMTP client that Postfix takes for one at that address."""
        with smtplib.SMTP("127.0.0.1", self.port, "probe.example", timeout=STEP_S) as smtp:
            smtp.ehlo()
            assert smtp.docmd("XCLIENT", f"NAME=[UNAVAILABLE] ADDR={address}")[0] == 220
            smtp.ehlo(helo)
            yield smtp

    def kept(self, count: int) -> List[str]:
        """The messages delivered, once they are that many."""
        path = self.folder / "kept" / "mail"
        deadline = time.monotonic() + STEP_S
        while True:
            text = path.read_text() if path.exists() else ""
            if text.count("-- end --") >= count:
                return text.split("-- end --\n")[:-1]
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)


@contextlib.contextmanager
def postfix(**main: str) -> Iterator[Postfix]:
    """A running Postfix whose main.cf has these parameters; Unavailable if that cannot be."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        instance = Postfix(folder, find(folder), "".join(f"{key} = {value}\n" for key, value in main.items()))
        with instance.running():
            yield instance


def counted(message: str) -> Dict[str, int]:
    """How often each header field stands in a message."""
    fields: Dict[str, int] = {}
    for line in message.partition("\n\n")[0].splitlines():
        if not line.startswith((" ", "\t")):
            name = line.partition(":")[0]
            fields[name] = fields.get(name, 0) + 1
    return fields
