#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many messages over parallel connections while the resolver is away for a while: each is answered rightly or 451."""
import collections
import random
import threading
import time

import exim
from dns_server import DnsServer, Zone

MESSAGES, CONNECTIONS, PER_SESSION = 1000, 20, 10
DEADLINE_S = 2

# Sender's domain: what it publishes, and the only answer there is to it besides 451.
POLICIES = {
    "pass": ("v=spf1 ip4:192.0.2.0/24 -all", "250"),
    "fail": ("v=spf1 exp=why.load.example -all", "550"),
    "neutral": ("v=spf1 ?all", "250"),
    "include": ("v=spf1 include:pass.load.example -all", "250"),
    "broken": ("v=spf1 ip4:nonsense -all", "250"),
    "nobody": (None, "250"),
}


class Load(exim.EximTest):
    def setUp(self):
        zone = Zone({"why.load.example": {"TXT": ["not from %{i}"]}, "load.example": {"A": ["192.0.2.1"]}})
        for name, (policy, _) in POLICIES.items():
            zone.add(f"{name}.load.example", {"TXT": [policy]} if policy else {})
        self.dns = DnsServer(zone)
        self.dns.ttl_s = 0
        self.addCleanup(self.dns.stop)
        self.receiver = self.exim([f"resolver: {self.dns.resolver}", f"timeout: {DEADLINE_S}"],
                                  main="acl_smtp_mail = acl_check_mail\nsmtp_accept_max_per_connection = 0\n"
                                       "smtp_connect_backlog = 64",
                                  acl=exim.readme_acl()).start()
        self.lock = threading.Lock()
        self.answers = collections.Counter()
        self.wrong = []
        self.next = 0

    def take(self):
        """The numbers of the messages of the next session."""
        with self.lock:
            first, self.next = self.next, min(self.next + PER_SESSION, MESSAGES)
            return range(first, self.next)

    def record(self, name, answer):
        with self.lock:
            self.answers[name, answer] += 1
            if answer not in ("451", POLICIES[name][1]):
                self.wrong.append((name, answer))

    def work(self):
        names = sorted(POLICIES)
        while numbers := self.take():
            connection = exim.Smtp(self.receiver, f"192.0.2.{1 + numbers[0] % 250}")
            for number in numbers:
                name = random.Random(number).choice(names)
                replies = connection.send(f"m{number}@{name}.load.example", f"Subject: {number}\r\n\r\ntext")
                self.record(name, replies[-1][-1][:3])
                if len(replies) < 4:
                    connection.command("RSET")
            connection.close()

    def run_worker(self):
        try:
            self.work()
        except Exception as error:  # pylint: disable=broad-except
            with self.lock:
                self.wrong.append(repr(error))

    def interrupt(self):
        """The resolver dies half way, and comes back."""
        while self.next < MESSAGES // 2 and not self.wrong:
            time.sleep(0.02)
        self.dns.stop()
        time.sleep(2 * DEADLINE_S)
        self.dns.start()

    def test_every_message_is_answered_rightly(self):
        workers = [threading.Thread(target=self.run_worker) for _ in range(CONNECTIONS)]
        for worker in workers:
            worker.start()
        self.interrupt()
        for worker in workers:
            worker.join(exim.STEP_S * 2)
        self.assertFalse(any(worker.is_alive() for worker in workers))
        self.assertEqual(self.wrong, [])
        self.assertEqual(sum(self.answers.values()), MESSAGES)
        accepted = sum(count for (_, answer), count in self.answers.items() if answer == "250")
        deferred = sum(count for (_, answer), count in self.answers.items() if answer == "451")
        self.assertEqual(len(self.receiver.queued()), accepted)
        self.assertGreater(deferred, 0, "the resolver's absence was not noticed")
        self.assertGreater(accepted, MESSAGES // 3)
        print(dict(sorted(self.answers.items())))


if __name__ == "__main__":
    exim.main()
