#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which lines of libspf the tests run: prints the share of each file; fails below 95 % in all.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/support/packages/install build test coverage
cmake --preset coverage --log-level=WARNING
cmake --build build/coverage -j 2 >/dev/null
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage -j 2 --output-on-failure | tail -n 4
gcovr --root . --filter libspf/ --object-directory build/coverage --gcov-ignore-parse-errors -j 2 \
    --exclude-unreachable-branches --fail-under-line 95 --print-summary
