#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What libspf's Python package costs, beside the C library and pyspf: python.py BUILD DATA [--quick]; run.sh calls it.

BUILD has the Python package, DATA is where stream.py wrote its files. All that is compared runs in the same rounds.
"""
import os
import pathlib
import statistics
import sys

from measure import Bench, Program, Server, Table

HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = 10000
DELAY_US = 50000


def other_domains(folder):
    """As many domains as checks at once, each with a record of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "zone").write_text("".join(f"d{number}.example TXT v=spf1 ip4:192.0.2.0/24 -all\n"
                                         for number in range(AT_ONCE)))
    (folder / "stream").write_text("".join(f"192.0.2.{number % 250} ann@d{number}.example mail.example.org\n"
                                           for number in range(AT_ONCE)))
    return folder


class PythonBench(Bench):
    def __init__(self, build, data, is_quick):
        super().__init__(build, data, is_quick)
        os.environ["PYTHONPATH"] = f"{build}/bindings/python"

    def package(self, way, *options, stream=None):
        return Program("/usr/bin/python3", f"{HERE}/peer_libspf_python.py", stream or self.stream, way,
                       f"resolver=127.0.0.1@{self.server.port}", *options)

    def one_after_the_other(self):
        self.server.behave(0, 86400)
        fast, slow = self.few(2000, 20000), self.few(100, 1000)
        reports = self.rounds({
            "C": (self.libspf(), 0, fast),
            "check()": (self.package("check"), 0, fast),
            "check_many()": (self.package("many"), 0, fast),
            "check_async()": (self.package("async"), 0, fast),
            "pyspf": (self.pyspf(), 0, slow),
        }, self.few(3, 7))
        self.table.head("Checks per second, one thread, libspf's answers cached (pyspf keeps none), the server near")
        for name, found in reports.items():
            self.table.row(name, f"{1e6 / self.wall(found):,.0f}")
        times = self.wall(reports["pyspf"]) / self.wall(reports["check()"])
        self.table.row("check() beside pyspf", f"{times:.0f} times as many", "more", times > 1)

    def at_once(self, data):
        self.server.close()
        self.server = Server(self.bench, data)
        self.server.behave(DELAY_US, 0)
        stream = f"{data}/stream"
        resolver = f"resolver=127.0.0.1@{self.server.port}"
        self.table.head(f"{AT_ONCE} checks at once, each of another domain, the server answers after {DELAY_US // 1000} ms")
        for sockets in ("1024", "16384"):
            reports = self.rounds({
                "C": (Program(f"{self.bench}_libspf", stream, "fresh", f"jobs={AT_ONCE}", resolver,
                              f"outgoing-sockets={sockets}"), 0, AT_ONCE),
                "check_async()": (self.package("async", "fresh", f"outgoing_sockets={sockets}", stream=stream), 0, AT_ONCE),
                "check_many()": (self.package("many", "fresh", f"outgoing_sockets={sockets}", stream=stream), 0, AT_ONCE),
            }, self.few(3, 7))
            for name, found in reports.items():
                ms = statistics.median(report["wall_us"] / 1000 for report in found)
                failed = sum(report["results"].count("P") != AT_ONCE for report in found)
                times = statistics.median(one["wall_us"] / other["wall_us"] for one, other in zip(found, reports["C"]))
                bar = ("2 times", times <= 2 and not failed) if name != "C" else ("", None)
                self.table.row(f"{name}, outgoing-sockets {sockets}",
                               f"{ms:.0f} ms, {times:.2f} times", *bar)
                if failed:
                    print(f"{failed} runs had checks that did not pass")


def main():
    build, data = sys.argv[1:3]
    bench = PythonBench(build, data, "--quick" in sys.argv[3:])
    bench.one_after_the_other()
    bench.at_once(other_domains(pathlib.Path(data) / "domains"))
    bench.server.close()
    sys.exit(1 if bench.table.failed else 0)


main()
