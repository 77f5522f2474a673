# SPDX-License-Identifier: MIT
"""The published suite for RFC 7208 as zones that the DNS server serves, and questions to ask a daemon."""
import gzip

import yaml

from dns_server import Zone

SUITE = "/usr/share/doc/python3-spf/rfc7208-tests.yml.gz"
CASES = 203


class StringLoader(yaml.SafeLoader):
    """Scalars are texts: 1.2.3.4 and yes stay what they are."""


StringLoader.yaml_implicit_resolvers = {}


def failing(records):
    """What of the suite's words for failures stands in a name's records."""
    return any(record in ("TIMEOUT", "SERVFAIL") or set(record) & {"TIMEOUT", "SERVFAIL"} for record in records)


def add_name(zone, name, records):
    types = {"*": "SERVFAIL"} if failing(records) else {}
    pairs = [pair for record in records if isinstance(record, dict) for pair in record.items()]
    has_txt = any(kind == "TXT" for kind, _ in pairs)
    for kind, value in pairs:
        if kind in ("TIMEOUT", "SERVFAIL") or value == "NONE" or (kind == "SPF" and has_txt):
            continue
        kind = "TXT" if kind == "SPF" else kind
        if value == "TIMEOUT":
            types[kind] = "SERVFAIL"
        else:
            types.setdefault(kind, []).append(value)
    try:
        zone.add(name, types)
    except ValueError:
        pass  # DNS cannot hold it


class Scenario:
    """`cases`: name, client address, sender, HELO name, and the results that are right."""

    def __init__(self, document):
        self.zone = Zone()
        for name, records in document["zonedata"].items():
            add_name(self.zone, name, records)
        self.cases = [(name, case["host"], case["mailfrom"], case.get("helo", ""),
                       case["result"] if isinstance(case["result"], list) else [case["result"]])
                      for name, case in document["tests"].items()]


def scenarios():
    with gzip.open(SUITE) as file:
        return [Scenario(document) for document in yaml.load_all(file, StringLoader) if document]
