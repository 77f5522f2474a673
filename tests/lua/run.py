#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a test or an example written in Lua: run.py INTERPRETER MODULE SCRIPT [ARGUMENT...]

MODULE is libspf.so for that interpreter. The script finds in its environment
  LIBSPF_DNS     a resolver that answers from the zone below
  LIBSPF_SLOW    the same, each answer 50 ms late
  LIBSPF_SILENT  a resolver that never answers
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "daemons"))

from dns_server import DnsServer, Zone  # pylint: disable=wrong-import-position

NAMES = {
    "example.com": {"TXT": ["v=spf1 ip4:192.0.2.0/24 mx include:_spf.example.net -all exp=why.example.com"],
                    "MX": [("10", "mx.example.com")]},
    "mx.example.com": {"A": ["198.51.100.25"], "AAAA": ["2001:db8::25"]},
    "why.example.com": {"TXT": ["%{i} may not send mail for %{d}"]},
    "_spf.example.net": {"TXT": ["v=spf1 ip4:203.0.113.0/28 ?all"]},
    "soft.example.com": {"TXT": ["v=spf1 a:mail.soft.example.com ~all"]},
    "mail.soft.example.com": {"A": ["192.0.2.99"]},
    "broken.example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 foo:bar -all"]},
    "fails.example.com": {"*": "SERVFAIL"},
    "plain.example.com": {"A": ["192.0.2.1"]},
}


def server(mode, delay_s=0.0):
    dns = DnsServer(Zone(NAMES))
    dns.mode, dns.delay_s = mode, delay_s
    return dns


def main():
    interpreter, module, *arguments = sys.argv[1:]
    servers = {"LIBSPF_DNS": server("answer"), "LIBSPF_SLOW": server("slow", 0.05), "LIBSPF_SILENT": server("silent")}
    environment = dict(os.environ, LUA_CPATH=str(pathlib.Path(module).parent / "?.so") + ";;",
                       LUA_PATH=f"{HERE}/?.lua;;", **{name: dns.resolver for name, dns in servers.items()})
    for name in [name for name in environment if name.startswith(("LUA_CPATH_", "LUA_PATH_", "LUA_INIT"))]:
        del environment[name]
    try:
        return subprocess.run([interpreter, *arguments], env=environment, check=False).returncode
    finally:
        for dns in servers.values():
            dns.stop()


if __name__ == "__main__":
    sys.exit(main())
