# SPDX-License-Identifier: MIT
"""The package in every other Python that is found on this machine, from 3.8 on."""
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Dict, Tuple

import libspf
import pytest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "bindings" / "python"
INCLUDE = HERE.parents[1] / "libspf" / "include"
BUILD = os.environ.get("LIBSPF_BUILD", "")
# The oldest and the newest stand for those between, unless everything is asked for.
LARGE = bool(os.environ.get("LIBSPF_TEST_LARGE"))
OLDEST = (3, 8)
TELL = "import os, sys, sysconfig; path = sysconfig.get_path('include');" \
       "print(*sys.version_info[:2], path if os.path.exists(path + '/Python.h') else '')"

Version = Tuple[int, int]


def found() -> Dict[Version, Tuple[str, str]]:
    """Version -> its program and where its headers are: on PATH, and where pyenv keeps them."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    programs = [str(path) for path in sorted(pyenv.glob("versions/*/bin/python3"))]
    programs += filter(None, (shutil.which("python3.%d" % minor) for minor in range(OLDEST[1], 30)))
    pythons: Dict[Version, Tuple[str, str]] = {}
    for program in programs:
        done = subprocess.run([program, "-c", TELL], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              universal_newlines=True, check=False)
        major, minor, include = (done.stdout.strip().split(" ", 2) + ["", "", ""])[:3]
        if done.returncode == 0 and include and (int(major), int(minor)) >= OLDEST:
            pythons[int(major), int(minor)] = program, include
    pythons.pop((sys.version_info[0], sys.version_info[1]), None)
    return pythons


PYTHONS = found()
CHOSEN = sorted(PYTHONS) if LARGE or len(PYTHONS) < 3 else [min(PYTHONS), max(PYTHONS)]

if not PYTHONS or not BUILD:
    pytest.skip("there is no other Python with its headers from 3.8 on", allow_module_level=True)


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False,
                          env=dict(os.environ, **environment))
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wrap(tmp_path_factory: Any) -> str:
    """SWIG's C source, which is the same for all."""
    folder = tmp_path_factory.mktemp("swig")
    run("swig", "-python", "-fastproxy", "-doxygen", "-interface", "_libspf", "-outdir", str(folder), "-o",
        str(folder / "wrap.c"), str(SOURCE / "swig" / "libspf.i"))
    return str(folder / "wrap.c")


@pytest.mark.parametrize("version", CHOSEN, ids=lambda version: "%d.%d" % version)
def test_another_python(version: Version, wrap: str, tmp_path: pathlib.Path) -> None:
    program, include = PYTHONS[version]
    library = str(pathlib.Path(BUILD) / "libspf")
    package = tmp_path / "libspf"
    shutil.copytree(str(pathlib.Path(libspf.__file__).parent), str(package),
                    ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    run("cc", "-O0", "-w", "-std=c11", "-D_GNU_SOURCE", "-fPIC", "-shared", "-fvisibility=hidden", "-I", include, "-I",
        str(INCLUDE), "-I", str(SOURCE / "swig"), wrap, *map(str, sorted((SOURCE / "swig").glob("*.c"))), "-L", library,
        "-lspf", "-Wl,-rpath," + library, "-o", str(package / "_libspf.so"))
    told = run(program, "-X", "dev", "-W", "error", str(HERE / "other_python.py"), PYTHONPATH=str(tmp_path))
    assert told == "ok\n"
