# SPDX-License-Identifier: MIT
"""pip install . builds the package against an installed libspf, which pkg-config finds; SWIG must be there too."""
import atexit
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = ["swig/%s.c" % name for name in ("bridge", "survey", "resolver", "convert", "convert_tools")]
CFLAGS = ["-std=c11", "-D_GNU_SOURCE", "-fvisibility=hidden"]

# Nothing is built inside the source tree.
SCRATCH = tempfile.mkdtemp(prefix="libspf-python-")
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


def tell(*command):
    """What a program prints, or the end of this one with a sentence."""
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit("libspf: `%s` failed (%s): libspf, pkg-config and swig must be installed; "
                 "PKG_CONFIG_PATH tells where libspf.pc is" % (" ".join(command), error))


class BuildExtension(build_ext):
    """Has SWIG write the C source, and the Python module that goes with it."""

    def build_extension(self, extension):
        package = HERE / "libspf" if self.inplace else pathlib.Path(self.build_lib) / "libspf"
        package.mkdir(parents=True, exist_ok=True)
        wrap = os.path.join(SCRATCH, "libspf_wrap.c")
        tell("swig", "-python", "-fastproxy", "-doxygen", "-interface", "_libspf", "-outdir", str(package), "-o", wrap,
             "swig/libspf.i")
        extension.sources = SOURCES + [wrap]
        extension.include_dirs.append("swig")
        extension.extra_compile_args += CFLAGS + tell("pkg-config", "--cflags", "libspf").split()
        extension.extra_link_args += tell("pkg-config", "--libs", "libspf").split()
        directory = tell("pkg-config", "--variable=libdir", "libspf")
        if not directory.startswith(("/usr/lib", "/lib")):
            extension.runtime_library_dirs.append(directory)
        super().build_extension(extension)


os.chdir(str(HERE))
setup(
    name="libspf",
    version=tell("pkg-config", "--modversion", "libspf"),
    description="Sender Policy Framework (RFC 7208): may this client send mail for this domain, and why?",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.8",
    packages=["libspf"],
    package_data={"libspf": ["py.typed", "*.pyi"]},
    ext_modules=[Extension("libspf._libspf", SOURCES)],
    cmdclass={"build_ext": BuildExtension},
    zip_safe=False,
    options={"build": {"build_base": SCRATCH}, "egg_info": {"egg_base": SCRATCH}},
)
