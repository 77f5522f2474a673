#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a fresh Debian 12 to answers: installs what is missing, builds in build/quickstart, and asks about three mails.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/quickstart

say() {
    printf '\n== %s\n' "$*"
}

# Shows the command, then runs it. Its exit status is the result, so it is no failure here.
ask() {
    local expected=$1 status=0
    shift
    printf '\n$ spf'
    printf ' %s' "$@"
    printf '\n'
    "$build/tools/spf" "$@" || status=$?
    if [ "$status" -ne "$expected" ]; then
        printf 'quickstart: exit status %d where %d was expected\n' "$status" "$expected" >&2
        exit 1
    fi
}

say "What it takes to build (Debian packages; asks for sudo if you are not root)"
tests/support/packages/install build
printf 'all there\n'

say "Building in $build"
cmake -S . -B "$build" -G Ninja --log-level=WARNING
cmake --build "$build"

zone=examples/quickstart.zone
say "A pass: 192.0.2.7 is in a network that example.com lists"
ask 0 check --ip 192.0.2.7 --sender ann@example.com --helo mail.example.com --zone "$zone"

say "A fail, with the explanation that the domain publishes, and the way there"
ask 1 check --ip 198.51.100.9 --sender ann@example.com --helo mail.example.net --zone "$zone" --trace

say "A permerror: what is wrong, where, and what the result had been without it"
ask 4 check --ip 2001:db8:25::1 --sender ann@broken.example.com --helo mail.example.com --zone "$zone" --would-be

say "Next: \"$build/tools/spf help check\" for real mail over real DNS; \"cmake --install $build\" for the library"
