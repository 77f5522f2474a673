# SPDX-License-Identifier: MIT
"""Debian's policyd-spf, unchanged, on libspf.compat in the place of pyspf."""
import os
import pathlib
import shutil
import subprocess
import sys
from typing import List, Tuple

import pytest

from example_programs import STEP_S, zone_file

PACKAGES = {"postfix-policyd-spf-python": "usr/bin/policyd-spf",
            "python3-spf-engine": "usr/lib/python3/dist-packages/spf_engine/__init__.py"}
INSTEAD = """\
import sys
import libspf, libspf.compat
libspf.compat.context = libspf.Context(resolver="none", zone={zone!r})
sys.modules[__name__] = libspf.compat
"""

QUESTIONS: List[Tuple[str, str, str, str]] = [  # HELO, sender, instance, what the answer begins with
    ("mail.plain.example", "ann@pass.example", "1", "prepend Received-SPF: Pass (mailfrom) "),
    ("mail.plain.example", "ann@pass.example", "1", "dunno"),
    ("mail.plain.example", "ann@fail.example", "2", "550 5.7.23 Message rejected due to: 192.0.2.7 is none of ours"),
    ("mail.plain.example", "ann@temp.example", "3", "defer_if_permit 4.7.24 "),
    ("mail.plain.example", "ann@soft.example", "4", "prepend Received-SPF: Softfail (mailfrom) "),
    ("mail.plain.example", "ann@neutral.example", "5", "prepend Received-SPF: Neutral (mailfrom) "),
    ("mail.plain.example", "ann@perm.example", "6", "550 5.7.24 "),
    ("badhelo.example", "ann@pass.example", "7", "550 5.7.23 "),
    ("helo.example", "", "8", "prepend Received-SPF: Pass ("),
]


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Where policyd-spf's files are: / if it is installed, else where its packages are unpacked."""
    if all(os.path.exists("/" + path) for path in PACKAGES.values()):
        return pathlib.Path("/")
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get to have Debian's policyd-spf from")
    folder = tmp_path_factory.mktemp("policyd")
    try:
        subprocess.run(["apt-get", "download", *PACKAGES], cwd=folder, check=True, capture_output=True, timeout=STEP_S)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Debian's policyd-spf cannot be had: {error}")
    return folder


def test_policyd_spf(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "spf.py").write_text(INSTEAD.format(zone=zone_file(tmp_path)))
    (tmp_path / "conf").write_text("debugLevel = 0\nTempError_Defer = True\nPermError_reject = True\n")
    given = "".join(
        f"request=smtpd_access_policy\nprotocol_state=RCPT\nhelo_name={helo}\nsender={sender}\n"
        f"recipient=bob@receiver.example\nclient_address=192.0.2.7\ninstance={instance}\n\n"
        for helo, sender, instance, _ in QUESTIONS)
    path = [str(tmp_path), os.environ.get("PYTHONPATH", ""), str(root / "usr/lib/python3/dist-packages")]
    done = subprocess.run([sys.executable, "-W", "ignore", str(root / "usr/bin/policyd-spf"), str(tmp_path / "conf")],
                          input=given, capture_output=True, text=True, timeout=STEP_S, check=False,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(path)})
    if "ModuleNotFoundError: No module named 'authres'" in done.stderr:
        pytest.skip("policyd-spf needs authres, which is not installed for this Python")
    answers = [line[len("action="):] for line in done.stdout.splitlines() if line.startswith("action=")]
    assert len(answers) == len(QUESTIONS), done.stdout + done.stderr
    for (helo, sender, _, start), answer in zip(QUESTIONS, answers):
        assert answer.startswith(start), (helo, sender, answer)
