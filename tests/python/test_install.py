# SPDX-License-Identifier: MIT
"""The package where users have it: put there by cmake --install, and by pip against an installed libspf."""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Iterator, Set

import libspf
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "bindings" / "python"
BUILD = os.environ.get("LIBSPF_BUILD", "")
USE = """
import asyncio, libspf, logging, pathlib
logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of what is slow, as all is on a busy machine
context = libspf.Context(resolver="none", zone_text='example.com. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"')
assert context.check("192.0.2.1", "ann@example.com").result == "pass"
assert asyncio.run(context.check_async("192.0.2.2", "ann@example.com")).result == "fail"
print(libspf.__file__)
maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
print({line.split(None, 5)[5] for line in maps if "libspf.so" in line}.pop())
"""

pytestmark = pytest.mark.skipif(not BUILD, reason="LIBSPF_BUILD tells no build to install from")


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False,
                          env=dict(os.environ, **environment))
    assert done.returncode == 0, done.stdout
    return done.stdout


def tree(folder: pathlib.Path) -> Set[str]:
    return {str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: Any) -> Iterator[pathlib.Path]:
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", str(folder))
    yield folder
    shutil.rmtree(folder)


def use(package: pathlib.Path, prefix: pathlib.Path) -> None:
    """The package works, and is the one that was just installed; it finds the library that was installed with it."""
    (library,) = prefix.rglob("libspf.so.0")
    where, loaded = run(sys.executable, "-X", "dev", "-W", "error", "-c", USE, PYTHONPATH=str(package),
                        LD_LIBRARY_PATH="").splitlines()
    assert loaded == str(library.resolve())
    assert pathlib.Path(where.strip()).parent == package / "libspf"
    assert (package / "libspf" / "py.typed").exists() and (package / "libspf" / "__init__.pyi").exists()
    assert {path.name for path in (package / "libspf").glob("*.py")} == {
        path.name for path in pathlib.Path(libspf.__file__).parent.glob("*.py")
    }


def test_cmake_install(prefix: pathlib.Path) -> None:
    (package,) = {path.parent.parent for path in prefix.rglob("__init__.pyi")}
    assert package.name in ("dist-packages", "site-packages")
    use(package, prefix)


@pytest.mark.skipif(importlib.util.find_spec("pip") is None or importlib.util.find_spec("setuptools") is None,
                    reason="this Python has no pip or no setuptools")
def test_pip_install(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    before = tree(SOURCE)
    (config,) = prefix.rglob("libspf.pc")
    run(sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "--no-cache-dir",
        "--disable-pip-version-check", "--target", str(tmp_path), str(SOURCE), PKG_CONFIG_PATH=str(config.parent))
    assert tree(SOURCE) == before
    use(tmp_path, prefix)


@pytest.mark.skipif(importlib.util.find_spec("setuptools") is None, reason="this Python has no setuptools")
def test_without_an_installed_library(tmp_path: pathlib.Path) -> None:
    """One sentence tells what is missing."""
    done = subprocess.run([sys.executable, str(SOURCE / "setup.py"), "--version"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False,
                          env=dict(os.environ, PKG_CONFIG_LIBDIR=str(tmp_path), PKG_CONFIG_PATH=""))
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert "libspf, pkg-config and swig must be installed" in done.stdout
