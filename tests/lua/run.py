#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a test or an example written in Lua: run.py INTERPRETER MODULE SCRIPT [ARGUMENT...]

MODULE is libspf.so for that interpreter. An argument that names a published suite (.yml, .yml.gz) becomes a Lua file with
what is in it. The script finds in its environment
  LIBSPF_DNS     a resolver that answers from the zone below
  LIBSPF_SLOW    the same, each answer 50 ms late
  LIBSPF_SILENT  a resolver that never answers
  LIBSPF_CONFIG  a configuration file that names the slow one
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "daemons"))

from dns_server import DnsServer, Zone  # pylint: disable=wrong-import-position
import suite_data  # pylint: disable=wrong-import-position

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
    **{f"t{number}.example.com": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]} for number in ["", *range(1, 17)]},
}


def server(mode, delay_s=0.0):
    dns = DnsServer(Zone(NAMES))
    dns.mode, dns.delay_s = mode, delay_s
    return dns


def suites_as_lua(arguments, folder):
    for argument in arguments:
        if argument.endswith((".yml", ".yml.gz")):
            target = folder / "suite_data.lua"
            suite_data.convert(pathlib.Path(argument), target)
            yield str(target)
        else:
            yield argument


def run(interpreter, module, arguments, folder):
    servers = {"LIBSPF_DNS": server("answer"), "LIBSPF_SLOW": server("slow", 0.05), "LIBSPF_SILENT": server("silent")}
    config = folder / "libspf.conf"
    config.write_text(f"resolver: {servers['LIBSPF_SLOW'].resolver}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LUA_PATH", "LUA_CPATH", "LUA_INIT"))}
    environment.update({name: dns.resolver for name, dns in servers.items()}, LIBSPF_CONFIG=str(config),
                       LUA_PATH=f"{HERE}/?.lua;;", LUA_CPATH=str(pathlib.Path(module).parent / "?.so") + ";;")
    try:
        return subprocess.run([interpreter, *suites_as_lua(arguments, folder)], env=environment, check=False).returncode
    finally:
        for dns in servers.values():
            dns.stop()


def main():
    interpreter, module, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="libspf-lua-") as folder:
        return run(interpreter, module, arguments, pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
