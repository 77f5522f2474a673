#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the measuring programs and prints the table: measure.py BUILD DATA [--quick]; run.sh calls it.

Everything that is compared runs in the same rounds, one after the other (A B C A B C ...); the medians count.
"""
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROUND_TRIP_US = 20000
LATE_WORKERS = 4  # processes that wait for a slow resolver side by side


class Program:
    """A measuring program that takes orders on its standard input."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def tell(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} has ended")
        return line

    def run(self, first, count):
        self.tell(f"run {first} {count}")
        return json.loads(self.hear())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Server(Program):
    def __init__(self, bench, data):
        super().__init__(f"{bench}_server", f"{data}/zone")
        self.port = int(self.hear())

    def behave(self, delay_us, ttl_s):
        self.tell(f"delay {delay_us}")
        self.tell(f"ttl {ttl_s}")
        self.counters()

    def counters(self):
        self.tell("counters")
        return dict(zip(("udp", "tcp", "dropped", "truncated"), map(int, self.hear().split())))


class Table:
    def __init__(self):
        self.failed = 0

    def head(self, title):
        print(f"\n{title}")

    def row(self, what, figure, bar="", holds=None):
        """holds: whether the bar is reached, None without one."""
        mark = {None: "", True: "yes", False: "NO"}[holds]
        self.failed += holds is False
        print(f"  {what:<58} {figure:>22}  {bar:<16} {mark}".rstrip(), flush=True)


class Bench:
    def __init__(self, build, data, is_quick):
        self.bench = f"{build}/bench/bench"
        self.spf = f"{build}/tools/spf"
        self.data = data
        self.is_quick = is_quick
        self.stream = f"{data}/stream"
        self.server = Server(self.bench, data)
        self.table = Table()

    def few(self, quick, full):
        return quick if self.is_quick else full

    def libspf(self, *options, stream="stream"):
        return Program(f"{self.bench}_libspf", f"{self.data}/{stream}", f"resolver=127.0.0.1@{self.server.port}", *options)

    def libspf2(self, cache):
        return Program(f"{self.bench}_libspf2", self.stream, self.server.port, cache)

    def pyspf(self):
        return Program("/usr/bin/python3", f"{HERE}/peer_pyspf.py", self.stream, self.server.port)

    def mail_spf(self):
        return Program("/usr/bin/perl", f"{HERE}/peer_mail_spf.pl", self.stream, self.server.port)

    def tool(self, name, *arguments):
        output = subprocess.run([f"{self.bench}_{name}", *map(str, arguments)], check=True, stdout=subprocess.PIPE)
        return json.loads(output.stdout)

    @staticmethod
    def rounds(programs, count, warm=True):
        """programs: name -> (program, first check, checks). The reports of each, in interleaved rounds."""
        reports = {name: [] for name in programs}
        for number in range(count + warm):
            for name, (program, first, checks) in programs.items():
                report = program.run(first, checks)
                if number >= warm:
                    reports[name].append(report)
        for program, _, _ in programs.values():
            program.close()
        return reports

    @staticmethod
    def cpu(reports):
        return statistics.median(report["cpu_us"] / report["checks"] for report in reports)

    @staticmethod
    def wall(reports):
        return statistics.median(report["wall_us"] / report["checks"] for report in reports)

    @staticmethod
    def times(reports, others):
        """How many times the CPU of the others: the median over the rounds, each compared in itself."""
        return statistics.median(one["cpu_us"] / one["checks"] / (other["cpu_us"] / other["checks"])
                                 for one, other in zip(reports, others))

    # ------------------------------------------------------------------------------------------------ what is measured

    def cached(self):
        self.server.behave(0, 86400)
        fast, slow = self.few(4000, 20000), self.few(200, 1000)
        programs = {
            "libspf": (self.libspf(), 0, fast),
            "libspf, records not kept": (self.libspf("record-cache=0"), 0, fast),
            "libspf2 with its cache": (self.libspf2("cache"), 0, fast),
            "libspf2 without": (self.libspf2("no-cache"), 0, slow * 2),
            "pyspf": (self.pyspf(), 0, slow),
            "Mail::SPF": (self.mail_spf(), 0, slow // 2),
        }
        reports = self.rounds(programs, self.few(3, 9))
        self.table.head("Everything cached that can be, one check after the other: us a check, CPU (elapsed)")
        peer = reports["libspf2 with its cache"]
        for name, several in reports.items():
            self.table.row(name, f"{self.cpu(several):.2f} ({self.wall(several):.2f})")
            if name.startswith("libspf") and not name.startswith("libspf2"):
                times = self.times(peer, several)
                self.table.row("    libspf2 with its cache costs so many times that", f"{times:.2f}",
                               *([">= 3, then 5", times >= 3] if name == "libspf" else []))
        self.table.head("The same results as libspf")
        ours = reports["libspf"][0]["results"]
        for name, several in reports.items():
            theirs = several[0]["results"]
            if name != "libspf":
                same = sum(a == b for a, b in zip(ours, theirs))
                self.table.row(name, f"{same} of {len(theirs)}", *(["all", same == len(theirs)] if "kept" in name else []))

    def late(self):
        """Nothing cached (TTL 0), behind a resolver that takes 20 ms."""
        self.table.head("Nothing cached, behind a resolver that takes 20 ms")
        counted = self.tool("levels", f"{self.data}/zone", self.stream)
        self.server.behave(ROUND_TRIP_US, 0)
        checks = self.few(50, 300)  # of each worker
        makers = {
            "libspf": self.libspf,
            "libspf, no prefetch": lambda: self.libspf("prefetch=no"),
            "libspf2 without cache": lambda: self.libspf2("no-cache"),
            "pyspf": self.pyspf,
            "Mail::SPF": self.mail_spf,
        }
        for name, maker in makers.items():
            reports, counters = self.late_run(maker, checks)
            elapsed = sorted(time_us for report in reports for time_us in report["elapsed_us"])
            total = len(elapsed)
            trips = sum(elapsed) / total / ROUND_TRIP_US
            self.table.row(f"{name}: round trips a check", f"{trips:.2f}", *(["<= 2.45", trips <= 2.45] if name == "libspf" else []))
            if name.startswith("libspf") and not name.startswith("libspf2"):
                median = elapsed[total // 2] / 1000
                limit = 3.9 if name == "libspf" else 3.45
                queries = sum(report["queries"] for report in reports) / total
                packets = (counters["udp"] + counters["tcp"]) / total
                self.table.row("    median ms", f"{median:.1f}", *(["<= 42", median <= 42] if name == "libspf" else []))
                self.table.row("    questions a check", f"{queries:.2f}", f"<= {limit}", queries <= limit)
                self.table.row("    packets a check that the server saw", f"{packets:.2f}")
                self.table.row("    truncated answers", f"{counters['truncated']}", "0", counters["truncated"] == 0)
        self.table.row("in virtual time over the whole stream: round trips", f"{counted['prefetch']['round_trips']:.2f}")
        self.table.row("    questions with prefetch, without",
                       f"{counted['prefetch']['queries']:.2f}, {counted['no_prefetch']['queries']:.2f}")

    def late_run(self, maker, checks):
        """Several processes at once, each with a part of the stream; the first checks only make a connection known."""
        workers = [maker() for _ in range(LATE_WORKERS)]
        for warm, count in ((True, 2), (False, checks)):
            for number, worker in enumerate(workers):
                worker.tell(f"run {number * checks} {count}")
            reports = [json.loads(worker.hear()) for worker in workers]
            counters = self.server.counters()
        for worker in workers:
            worker.close()
        return reports, counters

    def flight(self):
        self.server.behave(0, 86400)
        checks, jobs = self.few(20000, 100000), 10000
        program = self.libspf("fresh", f"jobs={jobs}")
        blocking = self.libspf()
        reports = self.rounds({"flight": (program, 0, checks), "blocking": (blocking, 0, 20000)}, self.few(1, 5), warm=False)
        rate = 1e6 / self.wall(reports["flight"])
        same = reports["flight"][0]["results"][:20000] == reports["blocking"][0]["results"]
        memory = self.tool("memory", f"{self.data}/zone", self.stream)
        self.table.head(f"{jobs} checks in flight on one thread, {checks} in all, from an empty cache on")
        self.table.row("checks a second", f"{rate:.0f}", ">= 20000", rate >= 20000)
        self.table.row("us of CPU a check", f"{self.cpu(reports['flight']):.1f}")
        self.table.row("the same results as one after the other", "yes" if same else "no", "yes", same)
        self.table.row("octets a check in flight, libunbound's left out", f"{memory['octets']:.0f}", "<= 8192",
                       memory["octets"] <= 8192)
        peak = statistics.median(report["heap_peak"] for report in reports["flight"])
        self.table.row("octets a check, libunbound and all caches included", f"{peak / jobs:.0f}")

    def uncached(self):
        self.server.behave(0, 0)
        checks = self.few(1000, 3000)
        self.table.head("Nothing cached, no delay: us of CPU a check")
        for jobs in (1, 64):
            programs = {
                "libspf": (self.libspf(f"jobs={jobs}"), 0, checks),
                "libunbound": (Program(f"{self.bench}_bare", self.stream, f"{self.data}/zone", self.server.port, jobs), 0,
                               checks),
            }
            packets = {name: self.packets(*what) for name, what in programs.items()}
            reports = self.rounds(programs, self.few(3, 21))
            ours, bare = self.cpu(reports["libspf"]), self.cpu(reports["libunbound"])
            times = self.times(reports["libspf"], reports["libunbound"])
            questions = reports["libunbound"][0]["queries"] / checks
            self.table.row(f"libunbound alone, {jobs} at a time, the same questions", f"{bare:.1f}")
            self.table.row("    each question", f"{bare / questions:.1f}")
            self.table.row("    packets to the server a check", f"{packets['libunbound']:.2f}")
            self.table.row(f"libspf, {jobs} at a time", f"{ours:.1f}")
            self.table.row("    packets to the server a check", f"{packets['libspf']:.2f}")
            self.table.row("    times libunbound alone", f"{times:.2f}", "<= 1.3", times <= 1.3)

    def packets(self, program, first, checks):
        self.server.counters()
        program.run(first, checks)
        counters = self.server.counters()
        return (counters["udp"] + counters["tcp"]) / checks

    def networks(self):
        self.server.behave(0, 86400)
        programs = {count: (self.libspf(stream=f"flat-{count}"), 0, 20000) for count in (40, 400)}
        reports = self.rounds(programs, self.few(3, 9))
        cost = {count: self.cpu(reports[count]) for count in programs}
        times = self.times(reports[400], reports[40])
        evaluation = self.tool("eval")
        self.table.head("Networks in a record, none of which matches")
        for count in programs:
            self.table.row(f"{count} networks: us of CPU a check, everything cached", f"{cost[count]:.2f}")
        self.table.row("    times as much", f"{times:.2f}", "flat: <= 1.5", times <= 1.5)
        for count, ns in evaluation.items():
            self.table.row(f"evaluation of a parsed record alone, {count} networks: ns", f"{ns:.0f}",
                           *(["<= 400", ns <= 400] if count == "5" else []))

    def start_up(self):
        self.server.behave(0, 86400)
        rounds = self.few(10, 100)
        figures = self.tool("fork", self.stream, f"{self.data}/zone", self.server.port, rounds)
        self.table.head("A process for each check, as Exim has it: ms of CPU (elapsed), fork included")
        for name, figure in figures.items():
            self.table.row(name.replace("_", " "), f"{figure['cpu_us'] / 1000:.2f} ({figure['wall_us'] / 1000:.2f})")
        set_up = figures["libunbound_one_question"]["cpu_us"] - figures["nothing"]["cpu_us"]
        share = set_up / (figures["libspf"]["cpu_us"] - figures["nothing"]["cpu_us"])
        self.table.row("libunbound's set-up with one question, share of libspf's", f"{100 * share:.0f} %")
        with open(self.stream, encoding="ascii") as file:
            ip, sender, helo = file.readline().split()
        commands = {
            "/bin/true": ["/bin/true"],
            "spf --version": [self.spf, "--version"],
            "spf check": [self.spf, "check", "--resolver", f"127.0.0.1@{self.server.port}", "--ip", ip, "--sender", sender,
                          "--helo", helo],
        }
        costs = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                costs[name].append(self.once(command))
        self.table.head("One command: ms of CPU (elapsed)")
        for name, several in costs.items():
            cpu, wall = (statistics.median(part) for part in zip(*several))
            self.table.row(name, f"{cpu:.2f} ({wall:.2f})")

    @staticmethod
    def once(command):
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = 0
        return 1000 * (usage.ru_utime + usage.ru_stime), 1000 * wall

    def system_calls(self):
        self.server.behave(0, 86400)
        output = subprocess.run(["bash", f"{HERE}/syscalls.sh", f"{self.bench}_libspf", self.stream, str(self.server.port)],
                                check=True, stdout=subprocess.PIPE)
        figures = json.loads(output.stdout)
        self.table.head("System calls")
        self.table.row(f"of {figures['checks']} blocking checks, everything cached", f"{figures['system_calls']}", "0",
                       figures["system_calls"] == 0)

    def run(self):
        load = os.getloadavg()[0]
        print(f"load average at the start {load:.1f}, {os.cpu_count()} CPUs; the last column: is the bar reached?")
        for part in (self.cached, self.late, self.flight, self.uncached, self.networks, self.start_up, self.system_calls):
            part()
        print(f"\nbars missed: {self.table.failed}; load average at the end {os.getloadavg()[0]:.1f}")
        self.server.close()


if __name__ == "__main__":
    Bench(sys.argv[1], sys.argv[2], "--quick" in sys.argv[3:]).run()
