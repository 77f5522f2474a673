# SPDX-License-Identifier: MIT
"""The published suites as Lua files for suite.lua."""
import gzip

import yaml


class StringLoader(yaml.SafeLoader):
    """Scalars are texts: 1.2.3.4 and yes stay what they are."""


StringLoader.yaml_implicit_resolvers = {}


def lua(value):
    """A value as Lua writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{lua(key)}] = {lua(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(lua, value)) + "}"
    octets = value if isinstance(value, bytes) else value.encode("utf-8")
    return '"' + "".join("\\%03d" % octet for octet in octets) + '"'


def records_of(entries):
    """The records of a name by type, and its failures: the suite's words TIMEOUT and SERVFAIL."""
    records, failures = {}, {}
    pairs = [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]
    has_txt = any(kind == "TXT" for kind, _ in pairs)
    for kind, value in pairs:
        kind = "TXT" if kind == "SPF" and not has_txt else kind
        if kind in ("TIMEOUT", "SERVFAIL"):
            failures["*"] = kind
        elif value == "TIMEOUT":
            failures[kind] = value
        elif value != "NONE" and kind != "SPF":
            records.setdefault(kind, []).append(
                "".join(value) if kind == "TXT" and isinstance(value, list) else value[1] if kind == "MX" else value)
    for entry in entries:
        if isinstance(entry, str):
            failures["*"] = entry
    return {"records": records, "failures": failures}


def scenario(document):
    return {
        "zone": {name.lower().rstrip("."): records_of(entries) for name, entries in document["zonedata"].items()},
        "cases": {name: {"ip": case["host"], "sender": case["mailfrom"], "helo": case.get("helo", ""),
                         "results": case["result"] if isinstance(case["result"], list) else [case["result"]],
                         **({"explanation": case["explanation"]} if "explanation" in case else {})}
                  for name, case in document["tests"].items()},
    }


def convert(suite, target):
    """Writes the suite (.yml or .yml.gz) as a Lua file."""
    octets = gzip.decompress(suite.read_bytes()) if suite.suffix == ".gz" else suite.read_bytes()
    scenarios = [scenario(document) for document in yaml.load_all(octets, StringLoader) if document]
    target.write_text("return {\n" + ",\n".join(map(lua, scenarios)) + "\n}\n")
