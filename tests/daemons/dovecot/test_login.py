#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""login.lua in a real Dovecot: `doveadm auth test`, submission and IMAP logins, all results, all settings, all failures."""
import smtplib
import threading
import time

import dovecot

OURS = "192.0.2.25"
ZONE = {
    "pass.example": {"TXT": ["v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"]},
    "four.example": {"TXT": ["v=spf1 ip4:192.0.2.25 -all"]},
    "fail.example": {"TXT": ["v=spf1 -all"]},
    "softfail.example": {"TXT": ["v=spf1 ~all"]},
    "neutral.example": {"TXT": ["v=spf1 ?all"]},
    "none.example": {"TXT": ["no policy"]},
    "permerror.example": {"TXT": ["v=spf1 foo:bar -all"]},
    "temperror.example": {"TXT": "SERVFAIL"},
    "personal.example": {"TXT": ["v=spf1 exists:%{l}.users.personal.example -all"]},
    "ann.users.personal.example": {"A": ["127.0.0.2"]},
    "xn--bcher-kva.example": {"TXT": ["v=spf1 -all"]},
    "helo.example": {"TXT": ["v=spf1 exists:%{h}.ok.example -all"]},
    "out.receiver.example.ok.example": {"A": ["127.0.0.2"]},
    "once.example": {"TXT": ["v=spf1 -all"]},
    "sub.exempt.example": {"TXT": ["v=spf1 -all"]},
}
RESULTS = ["pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"]

# As the README has them.
BEHIND = dovecot.readme_block("result_success = continue-ok")
BEFORE = dovecot.readme_block("result_success = continue\n")


class Login(dovecot.DovecotTest):
    """One Dovecot for all, whose settings each test chooses."""

    config = BEHIND

    @classmethod
    def setUpClass(cls):
        cls.zone = cls.class_dns(ZONE)
        cls.server = cls.class_dovecot(cls.zone, cls.config, {"login": [f"outbound: {OURS}"]})

    def setUp(self):
        self.server.forget_log()
        self.set()

    def set(self, *lines, outbound=OURS, config="libspf.conf"):
        self.server.configure("login", [f"outbound: {outbound}", *lines], config)

    def submit_all(self, users, password=dovecot.PASSWORD):
        """The codes that they got, all at the same time."""
        codes = {}
        threads = [threading.Thread(target=lambda user=user: codes.update({user: self.server.submit(user, password)[0]}))
                   for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return codes

    def check_all_results(self):
        self.set("fail: disable", "permerror: disable", "temperror: temp-fail")
        expected = {"fail": "user_disabled", "permerror": "user_disabled", "temperror": "temp_fail"}
        for result in RESULTS:
            with self.subTest(result=result):
                self.assertEqual(self.server.auth_test(f"ann@{result}.example"), expected.get(result, "succeeded"))
                if result != "pass":
                    self.server.waited_log(f"SPF of {result}.example for our address {OURS}: {result} (")
        self.assertNotIn("SPF of pass.example", self.server.log())
        self.assertEqual(self.server.auth_test("ann@pass.example", "wrong"), "failed")

    def check_challenge_and_response(self):
        self.set("fail: disable")
        for user, is_taken in {"ann@pass.example": True, "ann@fail.example": False}.items():
            with smtplib.SMTP("127.0.0.1", self.server.submission) as smtp:
                smtp.ehlo()
                smtp.user, smtp.password = user, dovecot.PASSWORD
                if is_taken:
                    self.assertEqual(smtp.auth("CRAM-MD5", smtp.auth_cram_md5)[0], 235)
                else:
                    self.assertRaises(smtplib.SMTPAuthenticationError, smtp.auth, "CRAM-MD5", smtp.auth_cram_md5)
        self.assertNotIn("Error: ", self.server.log())


class BeforeThePassword(Login):
    config = BEFORE

    def test_all_results(self):
        self.check_all_results()

    def test_challenge_and_response(self):
        self.check_challenge_and_response()

    def test_names_that_strangers_choose(self):
        """Anyone can have any name asked for: nothing but a failed login comes of it."""
        self.set("fail: disable")
        users = ["a" * 300 + "@" + "b" * 200, "@", "@@", "ann@" + "x." * 200 + "example", "ann@.example",
                 "%s%n@%d.example", "ann@[192.0.2.1]", "ann@fail.example\x01", "'; drop@table.example"]
        for user, code in self.submit_all(users, "wrong").items():
            self.assertIn(code, (501, 535), user)
        self.assertEqual(self.server.auth_test("ann@pass.example"), "succeeded")


class BehindThePassword(Login):
    def test_all_results(self):
        self.check_all_results()

    def test_nobody_but_users_makes_this_host_ask(self):
        self.set("fail: disable")
        asked = len(self.zone.asked)
        self.assertEqual(self.server.auth_test("ann@stranger.example", "wrong"), "failed")
        self.assertEqual(self.server.auth_test("ann@fail.example", "wrong"), "failed")
        self.assertEqual(len(self.zone.asked), asked)

    def test_challenge_and_response(self):
        self.check_challenge_and_response()

    def test_what_is_only_logged(self):
        for result in RESULTS:
            self.assertEqual(self.server.auth_test(f"ann@{result}.example"), "succeeded")
        log = self.server.waited_log("SPF of temperror.example")
        self.assertRegex(log, r"(?m)^auth-worker\S* Warning: libspf: SPF of fail\.example .*: user=<ann@fail\.example>")
        self.assertRegex(log, r"(?m)^auth-worker\S* Info: libspf: SPF of softfail\.example .* service=submission rip=$")

    def test_submission(self):
        self.set("fail: disable", "temperror: temp-fail")
        self.assertEqual(self.server.submit("ann@pass.example")[0], 250)
        self.assertEqual(self.server.submit("ann@pass.example", "wrong")[0], 535)
        self.assertEqual(self.server.submit("ann@fail.example")[0], 535)
        self.assertEqual(self.server.submit("ann@temperror.example")[0], 454)
        self.assertEqual(self.server.imap_login("ann@fail.example"), "OK")

    def test_services(self):
        self.set("fail: disable", "services: imap lmtp", "services: smtp")
        self.assertEqual(self.server.auth_test("ann@fail.example", service="submission"), "succeeded")
        for service in ("imap", "smtp", "lmtp"):
            self.assertEqual(self.server.auth_test("ann@fail.example", service=service), "user_disabled")

    def test_several_addresses(self):
        self.set("outbound: 2001:db8::25", "fail: disable")
        self.assertEqual(self.server.auth_test("ann@pass.example"), "succeeded")
        self.assertEqual(self.server.auth_test("ann@four.example"), "user_disabled")
        self.server.waited_log("for our address 2001:db8::25: fail")
        self.set("require: any", "fail: disable", outbound=f"{OURS} 2001:db8::25")
        self.assertEqual(self.server.auth_test("ann@four.example"), "succeeded")
        self.assertEqual(self.server.auth_test("ann@fail.example"), "user_disabled")

    def test_names_of_users(self):
        self.set("separator: @ %", "default-domain: fail.example", "fail: disable", "map: CORP pass.example",
                 "helo: out.receiver.example")
        for user, expected in {"ann": "user_disabled", "ann%fail.example": "user_disabled", "ann%corp": "succeeded",
                               "ann@pass.example": "succeeded", "a%b@pass.example": "succeeded",
                               "ann@": "user_disabled", "ann@personal.example": "succeeded",
                               "bob@personal.example": "user_disabled", "ann@bücher.example": "user_disabled",
                               "ann@xn--bcher-kva.example": "user_disabled", "ann@helo.example": "succeeded"}.items():
            with self.subTest(user=user):
                self.assertEqual(self.server.auth_test(user), expected)

    def test_a_name_without_a_domain(self):
        self.set("fail: disable", "none: disable")
        self.assertEqual(self.server.auth_test("ann"), "succeeded")

    def test_exempt(self):
        self.set("fail: disable", "exempt: FAIL.example .exempt.example", "exempt: scanner@softfail.example",
                 "softfail: disable", "exempt: printer", "default-domain: softfail.example")
        for user in ("ann@fail.example", "ann@sub.exempt.example", "scanner@softfail.example", "scanner", "printer"):
            self.assertEqual(self.server.auth_test(user), "succeeded", user)
        for user in ("ann@softfail.example", "ann"):
            self.assertEqual(self.server.auth_test(user), "user_disabled", user)
        self.assertNotIn("sub.exempt.example", self.zone.asked)

    def test_asked_once(self):
        self.set("fail: disable")
        for _ in range(4):
            self.assertEqual(self.server.auth_test("ann@once.example"), "user_disabled")
        self.assertEqual(self.zone.asked.count("once.example"), 1)

    def test_settings_followed(self):
        """What the file says counts at once; an error in it leaves what was said before."""
        self.assertEqual(self.server.auth_test("ann@fail.example"), "succeeded")
        self.set("fail: disable")
        self.assertEqual(self.server.auth_test("ann@fail.example"), "user_disabled")
        self.set("fail: nonsense")
        self.assertEqual(self.server.auth_test("ann@fail.example"), "user_disabled")
        self.server.waited_log('login.conf:3: fail: "nonsense" is not allowed; allowed: allow, log, warn, disable, temp-fail; '
                               "the settings of before are kept: user=<ann@fail.example>")

    def test_no_addresses(self):
        self.server.configure("login", ["fail: disable"])
        self.assertEqual(self.server.auth_test("ann@fail.example"), "succeeded")
        self.server.waited_log("login.conf: outbound: it must name our addresses; the user is let pass")
        self.server.configure("login", ["fail: disable", "on-error: temp-fail"])
        self.assertEqual(self.server.auth_test("ann@pass.example"), "temp_fail")

    def test_a_broken_libspf_conf(self):
        (self.server.folder / "broken.conf").write_text("resolver: nobody\n")
        self.set("fail: disable", config="broken.conf")
        self.assertEqual(self.server.auth_test("ann@broken.example"), "succeeded")
        self.server.waited_log('"nobody"')

    def test_a_resolver_that_is_dead_or_silent(self):
        for mode in ("dead", "silent"):
            with self.subTest(mode=mode):
                dns = self.dns(ZONE)
                dns.mode = mode
                if mode == "dead":
                    dns.stop()
                self.server.resolver(dns, f"{mode}.conf")
                self.set("timeout: 0.5", "retry: 600", config=f"{mode}.conf")
                started = time.monotonic()
                self.assertEqual(self.server.submit(f"ann@{mode}.example")[0], 250)
                self.assertLess(time.monotonic() - started, 0.5 + 10)
                self.server.waited_log(f"SPF of {mode}.example for our address 192.0.2.25: temperror")
                asked = len(dns.asked)
                self.assertEqual(self.server.submit(f"bob@{mode}.example")[0], 250)  # not asked again within `retry`
                self.server.waited_log(f"SPF of {mode}.example for our address 192.0.2.25: temperror", 2)
                self.assertEqual(len(dns.asked), asked)
                self.set("timeout: 0.5", "temperror: temp-fail", config=f"{mode}.conf")
                self.assertEqual(self.server.submit(f"ann@{mode}2.example")[0], 454)

    def test_many_at_once(self):
        self.set("fail: disable")
        users = [f"user{number}@{'fail' if number % 2 else 'pass'}.example" for number in range(16)]
        self.assertEqual(self.submit_all(users), {user: 535 if "@fail" in user else 250 for user in users})

    def test_reload(self):
        """Processes come and go; each asks with a context of its own."""
        self.set("fail: disable")
        for _ in range(3):
            self.assertEqual(self.server.auth_test("ann@fail.example"), "user_disabled")
            self.assertEqual(self.server.submit("ann@pass.example")[0], 250)
            count = self.server.log().count("SIGHUP received")
            self.server.reload()
            self.server.waited_log("SIGHUP received", count + 1)
        self.assertEqual(self.server.auth_test("ann@fail.example"), "user_disabled")


class Broken(dovecot.DovecotTest):
    """Dovecots of which each lacks something."""

    settings = {"login": [f"outbound: {OURS}", "fail: disable"]}

    def test_no_settings(self):
        server = self.dovecot(self.dns(ZONE), BEHIND).start()
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log("login.conf: No such file or directory; the user is let pass")
        server.configure("login", ["outbound: 192.0.2.256"])
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log('login.conf:2: outbound: "192.0.2.256" is not allowed; allowed: IPv4 and IPv6 addresses; the user is')
        server.configure("login", ["outbound: 192.0.2.256", "on-error: temp-fail"])
        self.assertEqual(server.auth_test("ann@pass.example"), "temp_fail")
        server.waited_log("no check, so no login")

    def test_not_installed(self):
        server = self.dovecot(self.dns(ZONE), BEHIND, self.settings)
        module = server.folder / "lua" / "libspf.so"
        module.rename(server.folder / "libspf.so")
        server.start()
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log("module 'libspf' not found")
        server.configure("login", [f"outbound: {OURS}", "on-error: temp-fail"])
        self.assertEqual(server.auth_test("ann@pass.example"), "temp_fail")
        (server.folder / "libspf.so").rename(module)
        self.assertEqual(server.auth_test("ann@pass.example"), "succeeded")

    def test_only_half_installed(self):
        server = self.dovecot(self.dns(ZONE), BEHIND, self.settings)
        (server.folder / "scripts" / "libspf" / "dovecot.lua").unlink()
        server.start()
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log("libspf: not installed: ")

    def test_in_a_process_that_must_not_wait(self):
        dns = self.dns(ZONE)
        server = self.dovecot(dns, BEHIND.replace("blocking=yes", "blocking=no"), self.settings).start()
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log("its passdb needs blocking=yes")
        self.assertEqual(dns.asked, [])

    def test_beside_the_cache_of_dovecot(self):
        server = self.dovecot(self.dns(ZONE), BEHIND + "auth_cache_size = 1M\n", self.settings).start()
        for _ in range(2):
            self.assertEqual(server.auth_test("ann@fail.example", service="imap"), "succeeded")
            self.assertEqual(server.auth_test("ann@fail.example"), "user_disabled")
            self.assertEqual(server.auth_test("ann@pass.example"), "succeeded")
        self.assertEqual(server.auth_test("ann@pass.example", "wrong"), "failed")


del Login  # has no tests of its own

if __name__ == "__main__":
    dovecot.main("auth/libauthdb_lua.so")
