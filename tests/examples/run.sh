#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the example programs on the quickstart's zone: run.sh CHECK POLL
set -euo pipefail
examples=$(cd "$(dirname "$0")/../../examples" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'resolver: none\nzone: %s\n' "$examples/quickstart.zone" >"$work/zone.conf"

# Fails with both texts unless they are the same.
same() {
    [ "$1" = "$2" ] || { printf 'expected: %s\nbut got:  %s\n' "$1" "$2"; exit 1; }
}

same 'pass: 203.0.113.25 matches mx at offset 7 of example.com'\''s record, by an address of example.com'\''s mail exchanger mx.example.com
lookup 1: mx asks for example.com' "$("$1" 203.0.113.25 ann@example.com mail.example.com "$work/zone.conf")"
same 'check: client address "203.0.113" is no IPv4 (192.0.2.1) or IPv6 (2001:db8::1) address' \
    "$("$1" 203.0.113 ann@example.com mail.example.com "$work/zone.conf" 2>&1 || true)"

same '192.0.2.7 ann@example.com: pass
198.51.100.9 bob@example.com: fail
198.51.100.9 cid@nowhere.example: none' "$(printf '%s\n' '192.0.2.7 ann@example.com mail.example.com' \
    '198.51.100.9 bob@example.com mail.example.com' '198.51.100.9 cid@nowhere.example mail.example.com' |
    "$2" "$work/zone.conf" | sed -E 's/^([^ ]+ [^ ]+ [a-z]+): .*/\1/' | sort)"

# The example of a configuration is one.
same '' "$("$1" 203.0.113 ann@example.com mail.example.com "$examples/libspf.conf" 2>&1 | grep -v 'client address' || true)"
