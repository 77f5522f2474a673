#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The plugin compiles against every version of Exim's interface that it knows, and against no other."""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]

# As much of an Exim's local_scan.h as the plugin may use. From ABI 6 on memory takes its taint from a pointer.
HEADER = """\
#define LOCAL_SCAN_ABI_VERSION_MAJOR %d
#define OK 0
#define FAIL 2
#define TRUE 1
#define US (unsigned char *)
typedef unsigned char uschar;
typedef int BOOL;
typedef int exim_dlfunc_t(uschar **yield, int argc, uschar *argv[]);
extern uschar *sender_host_address, *sender_address;
extern uschar *expand_string(uschar *);
#if LOCAL_SCAN_ABI_VERSION_MAJOR >= 6
#define GET_TAINTED (const void *)1
extern void *store_get_3(int, const void *, const char *, int);
#define store_get(size, proto) store_get_3((size), (proto), __FUNCTION__, __LINE__)
#else
extern void *store_get_3(int, BOOL, const char *, int);
#define store_get(size, tainted) store_get_3((size), (tainted), __FUNCTION__, __LINE__)
#endif
"""


class Abi(unittest.TestCase):
    def compile(self, version):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "local_scan.h").write_text(HEADER % version)
            command = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                       "-fsyntax-only", "-I", folder, "-I", ROOT / "libspf" / "include",
                       *sorted((ROOT / "plugins" / "exim").glob("*.c"))]
            return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    def test_versions(self):
        for version in (4, 5, 6, 7):
            with self.subTest(version=version):
                self.assertEqual(self.compile(version), "")
        for version in (1, 3, 8):
            with self.subTest(version=version):
                self.assertIn("Exim 4.94 and later", self.compile(version))


if __name__ == "__main__":
    unittest.main()
