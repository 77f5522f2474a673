# SPDX-License-Identifier: MIT
"""mypy --strict on the example programs and on libspf.compat, against the package's own types."""
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

import libspf
from example_programs import EXAMPLES, STEP_S

if importlib.util.find_spec("mypy") is None:
    pytest.skip("mypy is not installed for this Python", allow_module_level=True)


def test_types(tmp_path: pathlib.Path) -> None:
    package = pathlib.Path(libspf.__file__).parent
    programs = [str(EXAMPLES / name) for name in ("policy_service.py", "recheck_log.py")]
    if importlib.util.find_spec("aiosmtpd") is not None:
        programs.append(str(EXAMPLES / "smtp_server.py"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), *programs, str(package / "compat.py")],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(package.parent)}, capture_output=True, text=True,
        timeout=STEP_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
