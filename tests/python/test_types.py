# SPDX-License-Identifier: MIT
"""mypy --strict over the package, its examples and its tests; and the hand-kept .pyi beside what is really there."""
import importlib.util
import os
import pathlib
import subprocess
import sys
from typing import List

import libspf
import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = pathlib.Path(libspf.__file__).resolve().parent

if importlib.util.find_spec("mypy") is None:
    pytest.skip("there is no mypy for this Python", allow_module_level=True)

# What stubtest (of mypy 1.0) cannot see: how enumerations are made, who makes these classes, and what a Literal is.
ALLOWED = r"""
libspf\.\w+\.__new__
libspf\.(Checks|Draft|Query|Result|Survey)\.__init__
libspf\.(Fold|QueryType)
libspf\._.*
libspf\.compat.*
"""


def run(module: str, folder: pathlib.Path, *arguments: str) -> None:
    environment = dict(os.environ, MYPYPATH=os.pathsep.join([str(PACKAGE.parent), str(HERE)]))
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=str(folder), env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    assert done.returncode == 0, done.stdout


def python_files(folder: pathlib.Path) -> List[str]:
    return sorted(str(path) for path in folder.glob("*.py"))


def test_mypy_strict(tmp_path: pathlib.Path) -> None:
    """The package's own sources are found as a package; its __init__ is described by a .pyi instead."""
    own = [path for path in python_files(ROOT / "bindings" / "python" / "libspf") if not path.endswith("__init__.py")]
    cache = "--cache-dir=%s" % os.environ.get("LIBSPF_MYPY_CACHE", tmp_path)
    run("mypy", tmp_path, "--strict", cache, *own)
    run("mypy", tmp_path, "--config-file", str(HERE / "mypy.ini"), cache, *python_files(HERE),
        *python_files(ROOT / "examples" / "python"))


def test_stubs_are_those_of_the_package(tmp_path: pathlib.Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(ALLOWED)
    run("mypy.stubtest", tmp_path, "--ignore-unused-allowlist", "--allowlist", str(allowed), "libspf")
