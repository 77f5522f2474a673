# SPDX-License-Identifier: MIT
"""Runs the test script that pyspf's own package brings, for the module named: pyspf itself, or libspf.compat.

    pyspf_suite.py MODULE FOLDER

FOLDER holds the package's testspf.py and its .yml files. Prints a JSON object: for each file the cases run, and for
each case that failed what its assertion said.
"""
import contextlib
import importlib
import io
import json
import os
import sys
import unittest
from typing import Any, Dict

FILES = ("rfc7208-tests.yml", "rfc4408-tests.yml", "test.yml")


def outcome(suite: unittest.TestSuite) -> Dict[str, Any]:
    result = unittest.TestResult()
    with contextlib.redirect_stdout(io.StringIO()):
        suite.run(result)
    failed = {case.id().split()[0]: text.strip().splitlines()[-1] for case, text in result.failures + result.errors}
    return {"run": result.testsRun, "failed": failed}


def main(module: str, folder: str) -> None:
    sys.modules["spf"] = importlib.import_module(module)
    os.chdir(folder)
    sys.path.insert(0, folder)
    testspf = importlib.import_module("testspf")
    found: Dict[str, Any] = {name: outcome(testspf.makeSuite(name)) for name in FILES}
    found["TestCases"] = outcome(unittest.defaultTestLoader.loadTestsFromTestCase(testspf.SPFTestCases))
    found["preferred otherwise"] = sorted(testspf.warnings)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
