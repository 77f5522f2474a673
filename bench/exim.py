#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What SPF costs a fresh connection to Exim: exim.py BUILD [CONNECTIONS]; needs root, exim4-daemon-heavy, exim4-dev.

Three daemons, one without SPF, one with Exim's own and one with the plugin, ask the same DNS server and take turns.
Exim has a process for each connection, so the first check includes loading and starting everything.
"""
import os
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
CONNECTIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 300
os.environ["LIBSPF"] = str(BUILD / "libspf" / "libspf.so.0")
os.environ["LIBSPF_EXIM"] = str(BUILD / "plugins" / "exim" / "libspf_exim.so")
sys.path.insert(0, str(HERE.parent / "tests" / "daemons" / "exim"))

import exim  # pylint: disable=wrong-import-position
from dns_server import Zone  # pylint: disable=wrong-import-position

# The same questions in the same order for both: three names, one after the other.
ZONE = {
    **{f"{name}.example": {"TXT": [f"v=spf1 include:one.{name}.example -all"]} for name in ("first", "next")},
    **{f"one.{name}.example": {"TXT": [f"v=spf1 a:host.{name}.example -all"]} for name in ("first", "next")},
    **{f"host.{name}.example": {"A": ["192.0.2.1"]} for name in ("first", "next")},
}
ACLS = {
    "no SPF": "  accept\n",
    "Exim's own": "  deny spf = fail\n  accept\n",
    "libspf": "  deny condition = ${if eq{${dlfunc{LIBSPF}{spf}}}{fail}}\n  accept\n",
}


def start(acl, dns):
    config = [f"resolver: {dns.resolver}"]
    daemon = exim.Exim(config, main="acl_smtp_mail = acl_mail\nsmtp_accept_max_per_connection = 0",
                       acl="acl_mail:\n" + acl)
    if "dlfunc" not in acl:  # nothing of the plugin is loaded there
        daemon.file.write_text(daemon.file.read_text().replace("acl_smtp_connect =", "# acl_smtp_connect ="))
    daemon.use_system_resolver(dns)
    return daemon.start()


def connect(daemon):
    """Milliseconds from MAIL to its reply: of the connection's first one, and of the next, for another domain."""
    connection = exim.Smtp(daemon)
    times = []
    for sender in ("ann@first.example", "ann@next.example"):
        started = time.perf_counter()
        if connection.command(f"MAIL FROM:<{sender}>")[0][:3] != "250":
            sys.exit(f"{sender} is refused: {daemon.log()}")
        times.append((time.perf_counter() - started) * 1000)
        connection.command("RSET")
    connection.close()
    return times


def children_cpu_ms(daemon):
    """CPU of the connections that have ended."""
    fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) * 1000 / os.sysconf("SC_CLK_TCK")


def main():
    dns = exim.port_53()
    dns.zone = Zone(ZONE)
    daemons = {name: start(acl, dns) for name, acl in ACLS.items()}
    for daemon in daemons.values():
        connect(daemon)
    before = {name: children_cpu_ms(daemon) for name, daemon in daemons.items()}
    times = {name: [] for name in daemons}
    for _ in range(CONNECTIONS):
        for name, daemon in daemons.items():
            times[name].append(connect(daemon))
    for daemon in daemons.values():
        exim.Smtp(daemon).close()  # the daemon counts its children when it wakes
    time.sleep(0.5)
    print(f"{f'medians of {CONNECTIONS} connections, ms':<36}{'first MAIL':>12}{'next MAIL':>12}{'CPU of all':>12}")
    for name, daemon in daemons.items():
        first, following = (statistics.median(column) for column in zip(*times[name]))
        cpu = (children_cpu_ms(daemon) - before[name]) / CONNECTIONS
        print(f"{name:<36}{first:>12.2f}{following:>12.2f}{cpu:>12.2f}")
        daemon.remove()
    dns.stop()


if __name__ == "__main__":
    main()
