#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the data that all benchmarks run on: stream.py FOLDER [SEED]

FOLDER/zone      lines of "name type value": some 2 500 domains of the shapes that real ones have, and 20 mail providers
FOLDER/stream    lines of "ip sender helo": the domains weighted by Zipf's law, 10 % IPv6 clients
FOLDER/flat-40   the same form: one domain with 40 networks, clients that are in none of them
FOLDER/flat-400  the same with 400 networks

The same seed gives the same files.
"""
import ipaddress
import os
import random
import sys

DOMAINS = 2500
CHECKS = 20000
ZIPF = 0.9
# Of a dozen tried, the one whose checks take 3.45 questions in 2.3 round trips on average.
SEED = 4
SYLLABLES = "ba be bo ca co da de do fa fi ga go ka ke la le lo ma me mi na ne no pa pe ra re ri sa se so ta te ti va vi".split()
SUFFIXES = ("com", "com", "com", "net", "org", "de", "fr", "co.uk", "nl", "io")


class Source:
    """What a client may be: networks, and their weight."""

    def __init__(self):
        self.v4 = []
        self.v6 = []


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.zone = []
        self.used = set()

    def add(self, name, kind, value):
        self.zone.append(f"{name} {kind} {value}")

    def address4(self):
        while True:
            address = ipaddress.IPv4Address(self.random.randrange(0x0B000000, 0xDF000000))
            if address.is_global:
                return address

    def address6(self):
        return ipaddress.IPv6Address((0x2A00 << 112) + (self.random.getrandbits(28) << 84) + self.random.getrandbits(64))

    def network4(self, shortest=19, longest=27):
        bits = self.random.randint(shortest, longest)
        return ipaddress.IPv4Network((int(self.address4()) >> (32 - bits) << (32 - bits), bits))

    def network6(self):
        bits = self.random.choice((32, 36, 48, 56))
        return ipaddress.IPv6Network((int(self.address6()) >> (128 - bits) << (128 - bits), bits))

    def inside(self, network):
        return network[self.random.randrange(min(network.num_addresses, 2**32))]

    def name(self):
        while True:
            word = "".join(self.random.choice(SYLLABLES) for _ in range(self.random.randint(2, 5)))
            name = f"{word}.{self.random.choice(SUFFIXES)}.example"
            if name not in self.used:
                self.used.add(name)
                return name

    def networks(self, source, count4, count6=0):
        """Terms for so many networks, which become the source's."""
        terms = []
        for _ in range(count4):
            network = self.network4()
            source.v4.append(network)
            terms.append(f"ip4:{network}")
        for _ in range(count6):
            network = self.network6()
            source.v6.append(network)
            terms.append(f"ip6:{network}")
        return " ".join(terms)

    def host(self, name, source, has_v6):
        address = self.address4()
        self.add(name, "A", address)
        source.v4.append(ipaddress.IPv4Network(address))
        if has_v6:
            address = self.address6()
            self.add(name, "AAAA", address)
            source.v6.append(ipaddress.IPv6Network(address))


# Large providers publish their networks in one record, in several that one includes, or in a macro for each client.
# (name, networks in the record itself, records it includes with their networks, what stands before "~all", weight)
PROVIDERS = (
    ("spf.office.example", (9, 5), (), "", 26),
    ("spf.workmail.example", (0, 0), ((9, 0), (11, 0), (0, 7)), "", 16),
    ("spf.bulkmail.example", (4, 0), (), "", 8),
    ("spf.sendmore.example", (18, 0), ((12, 0),), "", 8),
    ("spf.cloudses.example", (14, 0), (), "", 8),
    ("spf.newsletter.example", (3, 0), (), "", 6),
    ("spf.crm.example", (0, 0), (), "exists:%{i}.spf.mta.crm.example", 4),
    ("spf.helpdesk.example", (8, 0), (), "", 5),
    ("spf.hosting.example", (12, 3), ((15, 0),), "", 5),
    ("spf.webhost.example", (0, 0), ((20, 4), (18, 0)), "", 4),
    ("spf.mailgate.example", (6, 2), (), "", 4),
    ("spf.filter.example", (30, 6), (), "", 4),
    ("spf.regional.example", (40, 0), (), "", 3),
    ("spf.zone-mail.example", (2, 0), ((10, 0), (8, 2)), "", 3),
    ("spf.survey.example", (5, 0), (), "", 3),
    ("spf.billing.example", (2, 0), (), "", 3),
    ("spf.shop.example", (7, 0), (), "", 2),
    ("spf.campus.example", (10, 4), (), "", 2),
    ("spf.telco.example", (25, 5), ((22, 0),), "", 2),
    ("spf.relay.example", (5, 1), (), "a:out.relay.example", 2),
)


def make_providers(world):
    providers = []
    for name, (count4, count6), included, extra, weight in PROVIDERS:
        source = Source()
        terms = [world.networks(source, count4, count6)] if count4 + count6 else []
        for number, (inner4, inner6) in enumerate(included, 1):
            inner = f"_block{number}.{name}"
            terms.append(f"include:{inner}")
            text = world.networks(source, inner4, inner6)
            if name == "spf.zone-mail.example" and number == 2:  # three deep
                world.add(f"_far.{name}", "TXT", f"v=spf1 {world.networks(source, 6)} ~all")
                text += f" include:_far.{name}"
            world.add(inner, "TXT", f"v=spf1 {text} ~all")
        if extra.startswith("exists:"):
            for _ in range(12):
                address = world.address4()
                source.v4.append(ipaddress.IPv4Network(address))
                world.add(f"{address}.spf.mta.crm.example", "A", "127.0.0.2")
        if extra.startswith("a:"):
            world.host(extra[2:], source, True)
        if extra:
            terms.append(extra)
        world.add(name, "TXT", f"v=spf1 {' '.join(terms)} {'-all' if weight % 3 == 0 else '~all'}")
        providers.append((name, source, weight))
    return providers


class Domain:
    """One sender domain: its record, made by the method its shape names, and the clients it lists."""

    def __init__(self, world, providers, shape):
        self.world = world
        self.providers = providers
        self.name = world.name()
        self.source = Source()
        self.end = world.random.choice(("-all", "-all", "~all", "~all", "~all", "?all"))
        self.has_v6 = world.random.random() < 0.3
        world.host(self.name, self.source if shape in ("a_mx", "a_only", "a_include") else Source(), self.has_v6)
        for number in range(1, world.random.choice((1, 1, 2)) + 1):
            host = f"mx{number}.{self.name}"
            world.host(host, self.source if "mx" in shape else Source(), self.has_v6)
            world.add(self.name, "MX", f"{number * 10} {host}")
        for text in world.random.sample(("site-verification=81nf7q0x9rb2c5t4", "ms=ms48213377", "apple-domain=Qx7RtV"),
                                        world.random.choice((0, 1, 1, 2))):
            world.add(self.name, "TXT", text)
        record = getattr(self, shape)()
        for text in [record] if isinstance(record, str) else record:
            world.add(self.name, "TXT", text)

    def include(self, count):
        weights = [weight for _, _, weight in self.providers]
        chosen = {}
        while len(chosen) < count:
            name, source, _ = self.world.random.choices(self.providers, weights)[0]
            chosen[name] = source
        for source in chosen.values():
            self.source.v4 += source.v4
            self.source.v6 += source.v6
        return " ".join(f"include:{name}" for name in chosen)

    def none_sends(self):
        return "v=spf1 -all"

    def ip_list(self):
        random = self.world.random
        return f"v=spf1 {self.world.networks(self.source, random.randint(1, 8), int(self.has_v6))} {self.end}"

    def a_mx(self):
        return f"v=spf1 a mx {self.end}"

    def mx_only(self):
        return f"v=spf1 mx {self.end}"

    def a_only(self):
        return f"v=spf1 a {self.end}"

    def a_include(self):
        return f"v=spf1 a {self.include(1)} {self.end}"

    def one(self):
        return f"v=spf1 {self.include(1)} {self.end}"

    def ip_one(self):
        return f"v=spf1 {self.world.networks(self.source, self.world.random.randint(1, 3))} {self.include(1)} {self.end}"

    def mx_one(self):
        return f"v=spf1 mx {self.include(1)} {self.end}"

    def two(self):
        return f"v=spf1 {self.include(2)} {self.end}"

    def mx_two(self):
        return f"v=spf1 mx {self.include(2)} {self.end}"

    def several(self):
        return f"v=spf1 {self.include(self.world.random.choice((3, 3, 4)))} {self.end}"

    def redirect(self):
        return f"v=spf1 redirect={self.include(1)[len('include:'):]}"

    def macro(self):
        for _ in range(3):
            address = self.world.address4()
            self.source.v4.append(ipaddress.IPv4Network(address))
            self.world.add(f"{'.'.join(reversed(str(address).split('.')))}._ip.{self.name}", "A", "127.0.0.2")
        return f"v=spf1 exists:%{{ir}}._ip.%{{d}} {self.end}"

    def ptr(self):
        address = self.world.address4()
        self.source.v4.append(ipaddress.IPv4Network(address))
        self.world.add(f"out.{self.name}", "A", address)
        self.world.add(address.reverse_pointer, "PTR", f"out.{self.name}")
        return f"v=spf1 ptr {self.end}"

    def syntax(self):
        return self.world.random.choice((f"v=spf1 ipv4:192.0.2.0/24 {self.end}", f"v=spf1 a mx ip4:192.0.2.300 {self.end}",
                                         f"v=spf1 mx include: {self.end}"))

    def dangling(self):
        return f"v=spf1 include:_gone.{self.name} {self.end}"

    def doubled(self):
        return ["v=spf1 mx ~all", f"v=spf1 {self.include(1)} ~all"]

    def no_record(self):
        return "some-service-verification=0a1b2c3d"


# Of each hundred domains.
SHAPES = {
    "one": 11, "two": 17, "several": 19, "mx_one": 5, "mx_two": 4, "a_include": 5, "ip_one": 6, "ip_list": 4, "a_mx": 7,
    "mx_only": 3, "a_only": 2, "none_sends": 4, "redirect": 3, "macro": 1, "ptr": 1, "syntax": 1, "dangling": 1,
    "doubled": 1, "no_record": 5, "no_domain": 1,
}


def make_domains(world, providers):
    """In order of popularity; every hundred of them have all shapes, so that no shape has the popular ones alone."""
    domains = []
    while len(domains) < DOMAINS:
        shapes = [shape for shape, count in SHAPES.items() for _ in range(count)]
        world.random.shuffle(shapes)
        for shape in shapes:
            domains.append(None if shape == "no_domain" else Domain(world, providers, shape))
    return [domain or world.name() for domain in domains]


def make_line(world, domain):
    random = world.random
    source = Source() if isinstance(domain, str) else domain.source
    name = domain if isinstance(domain, str) else domain.name
    is_v6 = random.random() < 0.1
    networks = source.v6 if is_v6 else source.v4
    if networks and random.random() < 0.5:
        client = world.inside(random.choice(networks))
    else:
        client = world.address6() if is_v6 else world.address4()
    sender = f"{random.choice(('info', 'news', 'ann', 'bob.b', 'bounce-8831', 'no-reply'))}@{name}"
    return f"{client} {'<>' if random.random() < 0.02 else sender} mx1.{name}"


def flat(world, count):
    name = f"flat-{count}.example"
    networks = [world.network4(28, 30) for _ in range(count)]
    world.add(name, "TXT", f"v=spf1 {' '.join(f'ip4:{network}' for network in networks)} -all")
    lines = []
    while len(lines) < 1000:
        client = world.address4()
        if not any(client in network for network in networks):
            lines.append(f"{client} ann@{name} mail.{name}")
    return lines


def write(folder, name, lines):
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


def main(folder, seed):
    world = World(seed)
    domains = make_domains(world, make_providers(world))
    weights = [1 / rank**ZIPF for rank in range(1, len(domains) + 1)]
    stream = [make_line(world, domain) for domain in world.random.choices(domains, weights, k=CHECKS)]
    flats = {count: flat(world, count) for count in (40, 400)}
    os.makedirs(folder, exist_ok=True)
    write(folder, "zone", world.zone)
    write(folder, "stream", stream)
    for count, lines in flats.items():
        write(folder, f"flat-{count}", lines)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else SEED)
