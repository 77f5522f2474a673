#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds libspf optimised, measures it beside its peers, and prints one table: run.sh [--quick] [BUILD-FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
options=()
if [ "${1:-}" = --quick ]; then
    options+=(--quick)
    shift
fi
build=${1:-$here/../build/bench}

packages=(build-essential cmake ninja-build pkg-config libunbound-dev libidn2-dev libjansson-dev libspf2-dev python3
    python3-spf libmail-spf-perl strace python3-dev swig)
missing=()
for package in "${packages[@]}"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

cmake -S "$here/.." -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSPF_BUILD_BENCH=ON -DSPF_BUILD_TESTS=OFF \
    -DSPF_BUILD_PYTHON=ON >/dev/null
cmake --build "$build" >/dev/null
data=$build/bench/data
/usr/bin/python3 "$here/stream.py" "$data"
missed=0
/usr/bin/python3 "$here/measure.py" "$build" "$data" "${options[@]}" || missed=1
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$here/python.py" "$build" "$data" "${options[@]}" || missed=1
exit "$missed"
