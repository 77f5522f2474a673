#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The name servers of /etc/resolv.conf, in a network and with an /etc of its own.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=/dev/null
. ./namespaces.bash
enter_namespaces --net --mount
cd "$SCRATCH" || exit 1

: >libspf.conf
for server in near far; do
    cat >"$server.example" <<EOF
\$TTL 300
@ IN SOA . . 1 3600 600 86400 300
@ IN TXT "v=spf1 -all"
EOF
done
if ! mount -t tmpfs none /etc; then
    skip 'nothing can be mounted on /etc'
fi
has_ipv6=$(cat /proc/net/if_inet6 2>/dev/null)
serve near "${has_ipv6:+::1 fe80::53/64 }127.0.0.1" near.example
serve far 198.51.100.1 far.example
ip address add 198.51.100.2 dev lo # where nobody listens

# With this resolv.conf: with TEXT EXPECT-ARGUMENTS...
with() {
    printf %s "$1" >/etc/resolv.conf
    printf -- '-- %q\n' "$1"
    shift
    expect "$@"
}

readonly far=ann@far.example near=ann@near.example

with $'nameserver 198.51.100.1\n' fail -all --sender "$far"
with $'nameserver 198.51.100.1\n' temperror 'SERVFAIL for the TXT records of near.example' --sender "$near"
with $'; comment\n#nameserver 127.0.0.1\nsearch example.com\n  nameserver 127.0.0.1\nnameserver\t198.51.100.1 # far\noptions rotate' \
    fail -all --sender "$far"
if [ "$has_ipv6" ]; then
    with $'nameserver ::1\n' fail -all --sender "$near"
    with $'nameserver fe80::53%lo\n' fail -all --sender "$near"
fi
# The first is dead.
with $'nameserver 198.51.100.2\nnameserver 198.51.100.1\n' fail -all --sender "$far"
with $'nameserver 198.51.100.2\n' temperror 'is over while waiting for the TXT records of far.example' --sender "$far" --timeout 1
# Without a name server the one on this machine is meant; what is no address is passed over, as the C library does.
with '' fail -all --sender "$near"
with $'search example.com\n' fail -all --sender "$near"
with $'nameserver resolver.example\n' fail -all --sender "$near"
with $'nameserver resolver.example\nnameserver 198.51.100.1\n' fail -all --sender "$far"
rm /etc/resolv.conf
expect fail -all --sender "$near"
mkdir /etc/resolv.conf
expect fail -all --sender "$near"

finish
