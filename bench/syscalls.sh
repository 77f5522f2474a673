#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How many system calls blocking checks make whose answers are all cached: syscalls.sh LIBSPF STREAM PORT
# The same checks are done three times; what the third time calls counts. The program reads its CPU clock before and
# after each time, by a system call.
set -euo pipefail
libspf=$1 stream=$2 port=$3
checks=5000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for _ in 1 2 3; do
    echo "run 0 $checks"
done | strace -f -qq -o "$work/trace" "$libspf" "$stream" "resolver=127.0.0.1@$port" >/dev/null
calls=$(awk '/CLOCK_PROCESS_CPUTIME_ID/ {readings++; next} readings == 5 {calls++} END {print calls + 0}' "$work/trace")
echo "{\"checks\": $checks, \"system_calls\": $calls}"
