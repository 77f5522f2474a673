#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""login.lua in a real Dovecot: `doveadm auth test`, submission and IMAP logins, all results, all settings, all failures."""
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
    "sub.exempt.example": {"TXT": ["v=spf1 -all"]},
}
RESULTS = ["pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"]
DISABLE = ["fail: disable", "permerror: disable", "temperror: temp-fail"]

# As the README has them.
BEHIND = dovecot.readme_block("result_success = continue-ok")
BEFORE = dovecot.readme_block("result_success = continue\n")


class Login(dovecot.DovecotTest):
    def server(self, settings=(), config=BEHIND, zone=None):
        self.zone = self.dns(zone or ZONE)
        lines = [f"outbound: {OURS}", *settings] if settings is not None else None
        return self.dovecot(self.zone, config, {"login": lines} if lines else {}).start()

    def check_all_results(self, server):
        expected = {"fail": "user_disabled", "permerror": "user_disabled", "temperror": "temp_fail"}
        for result in RESULTS:
            with self.subTest(result=result):
                self.assertEqual(server.auth_test(f"ann@{result}.example"), expected.get(result, "succeeded"))
                if result != "pass":
                    server.waited_log(f"SPF of {result}.example for our address {OURS}: {result} (")
        self.assertNotIn("SPF of pass.example", server.log())

    def test_all_results_behind_the_password(self):
        server = self.server(DISABLE)
        self.check_all_results(server)
        asked = len(self.zone.asked)
        self.assertEqual(server.auth_test("ann@other.example", "wrong"), "failed")
        self.assertEqual(server.auth_test("ann@fail.example", "wrong"), "failed")
        self.assertEqual(len(self.zone.asked), asked)  # nobody but users makes this host ask

    def test_all_results_before_the_password(self):
        server = self.server(DISABLE, BEFORE)
        self.check_all_results(server)
        self.assertEqual(server.auth_test("ann@pass.example", "wrong"), "failed")

    def test_what_is_only_logged(self):
        server = self.server()
        for result in RESULTS:
            self.assertEqual(server.auth_test(f"ann@{result}.example"), "succeeded")
        log = server.waited_log("SPF of temperror.example")
        self.assertRegex(log, r"(?m)^auth-worker\S* Warning: libspf: SPF of fail\.example .*: user=<ann@fail\.example>")
        self.assertRegex(log, r"(?m)^auth-worker\S* Info: libspf: SPF of softfail\.example .* service=submission rip=")

    def test_submission(self):
        server = self.server(DISABLE)
        self.assertEqual(server.submit("ann@pass.example")[0], 250)
        self.assertEqual(server.submit("ann@pass.example", "wrong")[0], 535)
        self.assertEqual(server.submit("ann@fail.example")[0], 535)
        self.assertEqual(server.submit("ann@temperror.example")[0], 454)
        self.assertEqual(server.imap_login("ann@fail.example"), "OK")

    def test_services(self):
        server = self.server(["fail: disable", "services: imap lmtp", "services: smtp"])
        self.assertEqual(server.auth_test("ann@fail.example", service="submission"), "succeeded")
        for service in ("imap", "smtp", "lmtp"):
            self.assertEqual(server.auth_test("ann@fail.example", service=service), "user_disabled")

    def test_challenge_and_response(self):
        for config in (BEHIND, BEFORE):
            server = self.server(DISABLE, config)
            with dovecot.smtplib.SMTP("127.0.0.1", server.submission) as smtp:
                smtp.ehlo()
                smtp.user, smtp.password = "ann@pass.example", dovecot.PASSWORD
                self.assertEqual(smtp.auth("CRAM-MD5", smtp.auth_cram_md5)[0], 235)
            with dovecot.smtplib.SMTP("127.0.0.1", server.submission) as smtp:
                smtp.ehlo()
                smtp.user, smtp.password = "ann@fail.example", dovecot.PASSWORD
                self.assertRaises(dovecot.smtplib.SMTPAuthenticationError, smtp.auth, "CRAM-MD5", smtp.auth_cram_md5)
            server.stop()

    def test_several_addresses(self):
        server = self.server(["outbound: 2001:db8::25", "fail: disable"])
        self.assertEqual(server.auth_test("ann@pass.example"), "succeeded")
        self.assertEqual(server.auth_test("ann@four.example"), "user_disabled")
        server.waited_log("for our address 2001:db8::25: fail")
        server.configure("login", [f"outbound: {OURS} 2001:db8::25", "require: any", "fail: disable"])
        self.assertEqual(server.auth_test("ann@four.example"), "succeeded")
        self.assertEqual(server.auth_test("ann@fail.example"), "user_disabled")

    def test_names_of_users(self):
        server = self.server(["separator: @ %", "default-domain: fail.example", "fail: disable", "map: CORP pass.example",
                              "helo: out.receiver.example"])
        for user, expected in {"ann": "user_disabled", "ann%fail.example": "user_disabled", "ann%corp": "succeeded",
                               "ann@pass.example": "succeeded", "a%b@pass.example": "succeeded",
                               "ann@": "user_disabled", "ann@personal.example": "succeeded",
                               "bob@personal.example": "user_disabled", "ann@bücher.example": "user_disabled",
                               "ann@xn--bcher-kva.example": "user_disabled", "ann@helo.example": "succeeded"}.items():
            with self.subTest(user=user):
                self.assertEqual(server.auth_test(user), expected)

    def test_a_name_without_a_domain(self):
        server = self.server(["fail: disable", "none: disable"])
        self.assertEqual(server.auth_test("ann"), "succeeded")

    def test_exempt(self):
        server = self.server(["fail: disable", "exempt: FAIL.example .exempt.example", "exempt: scanner@softfail.example",
                              "softfail: disable", "exempt: printer", "default-domain: softfail.example"])
        for user in ("ann@fail.example", "ann@sub.exempt.example", "scanner@softfail.example", "scanner", "printer"):
            self.assertEqual(server.auth_test(user), "succeeded", user)
        for user in ("ann@softfail.example", "ann"):
            self.assertEqual(server.auth_test(user), "user_disabled", user)
        self.assertNotIn("sub.exempt.example", self.zone.asked)

    def test_cached(self):
        server = self.server(["fail: disable"])
        for _ in range(4):
            self.assertEqual(server.auth_test("ann@fail.example"), "user_disabled")
        self.assertEqual(self.zone.asked.count("fail.example"), 1)

    # ------------------------------------------------------------------------------------------------ what goes wrong

    def test_a_resolver_that_is_dead_or_silent(self):
        for mode in ("dead", "silent"):
            with self.subTest(mode=mode):
                server = self.server(["timeout: 1", "retry: 600"])
                if mode == "dead":
                    self.zone.stop()
                self.zone.mode = mode
                started = time.monotonic()
                self.assertEqual(server.submit("ann@pass.example")[0], 250)
                self.assertLess(time.monotonic() - started, 1 + 10)
                server.waited_log("SPF of pass.example for our address 192.0.2.25: temperror")
                asked = len(self.zone.asked)
                self.assertEqual(server.submit("bob@pass.example")[0], 250)  # not asked again within `retry`
                server.waited_log("SPF of pass.example for our address 192.0.2.25: temperror", 2)
                self.assertEqual(len(self.zone.asked), asked)
                server.configure("login", [f"outbound: {OURS}", "timeout: 1", "temperror: temp-fail"])
                self.assertEqual(server.submit("ann@four.example")[0], 454)
                server.stop()
                if mode == "dead":
                    self.zone.start()

    def test_settings_with_errors(self):
        for lines, said in [
                (["outbound: 192.0.2.256"], 'login.conf:2: outbound: "192.0.2.256" is not allowed; allowed: IPv4 and IPv6'),
                (["outbound: 192.0.2.25", "fail: explode"],
                 'login.conf:3: fail: "explode" is not allowed; allowed: allow, log, warn, disable, temp-fail'),
                (["timeout: 0"], "allowed: a number from 0.1 to 60"),
                (["outbound 192.0.2.25"], '"outbound 192.0.2.25" is not of the form `key: value`'),
                (["out: 192.0.2.25"], 'there is no key "out"; the keys are cache, cache-size, config, '),
                (["fail: disable"], "outbound: it must name our addresses"),
        ]:
            with self.subTest(lines=lines):
                server = self.server(config=BEHIND)
                server.configure("login", lines)
                self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
                server.waited_log(said)
                server.configure("login", ["on-error: temp-fail", *lines])
                self.assertEqual(server.auth_test("ann@pass.example"), "temp_fail")
                server.stop()

    def test_settings_followed(self):
        """What the file says counts at once; an error in it leaves what was said before."""
        server = self.server()
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.configure("login", [f"outbound: {OURS}", "fail: disable"])
        self.assertEqual(server.auth_test("ann@fail.example"), "user_disabled")
        server.configure("login", [f"outbound: {OURS}", "fail: nonsense"])
        self.assertEqual(server.auth_test("ann@fail.example"), "user_disabled")
        server.waited_log("the settings of before are kept")

    def test_no_settings(self):
        server = self.server(None)
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log("login.conf: No such file or directory; the user is let pass")

    def test_not_installed(self):
        server = self.dovecot(self.dns(ZONE), BEHIND, {"login": [f"outbound: {OURS}", "fail: disable"]})
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
        server = self.dovecot(self.dns(ZONE), BEHIND, {"login": [f"outbound: {OURS}", "fail: disable"]})
        (server.folder / "scripts" / "libspf" / "dovecot.lua").unlink()
        server.start()
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log("libspf: not installed: ")

    def test_a_broken_libspf_conf(self):
        server = self.server(["fail: disable"])
        (server.folder / "libspf.conf").write_text("resolver: nobody\n")
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log('"nobody"')

    def test_in_a_process_that_must_not_wait(self):
        server = self.server(["fail: disable"], BEHIND.replace("blocking=yes", "blocking=no"))
        self.assertEqual(server.auth_test("ann@fail.example"), "succeeded")
        server.waited_log("its passdb needs blocking=yes")
        self.assertEqual(self.zone.asked, [])

    def test_reload(self):
        """Processes come and go; each asks with a context of its own."""
        server = self.server(["fail: disable"])
        for _ in range(3):
            self.assertEqual(server.auth_test("ann@fail.example"), "user_disabled")
            self.assertEqual(server.submit("ann@pass.example")[0], 250)
            count = server.log().count("SIGHUP received")
            server.reload()
            server.waited_log("SIGHUP received", count + 1)
        self.assertEqual(server.auth_test("ann@fail.example"), "user_disabled")

    def test_many_at_once(self):
        server = self.server(["fail: disable"])
        self.zone.mode, self.zone.delay_s = "slow", 0.05
        users = [f"user{number}@{'fail' if number % 2 else 'pass'}.example" for number in range(16)]
        answers = {}
        threads = [dovecot.threading.Thread(target=lambda user=user: answers.update({user: server.submit(user)[0]}))
                   for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, {user: 535 if "@fail" in user else 250 for user in users})

    def test_names_that_strangers_choose(self):
        """With the policy before the password anyone can have any name asked for: nothing but a failed login comes of it."""
        server = self.server(["fail: disable"], BEFORE)
        for user in ("a" * 300 + "@" + "b" * 200, "@", "@@", "ann@" + "x." * 200 + "example", "ann@.example", "%s%n@%d.example",
                     "ann@[192.0.2.1]", "ann@fail.example\x01", "'; drop@table.example"):
            self.assertIn(server.submit(user, "wrong")[0], (501, 535), user)
        self.assertEqual(server.auth_test("ann@pass.example"), "succeeded")


if __name__ == "__main__":
    dovecot.main("auth/libauthdb_lua.so")
