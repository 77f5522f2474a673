# SPDX-License-Identifier: MIT
"""What the tests of the Python package share with those of the daemons."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "daemons"))
