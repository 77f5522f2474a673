#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Full recursion without the Internet: a root server where libunbound looks for one, and name servers it delegates to.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=/dev/null
. ./namespaces.bash
enter_namespaces --net
cd "$SCRATCH" || exit 1

: >libspf.conf
readonly top="\$TTL 300
@ IN SOA . . 1 3600 600 86400 300"

cat >root <<EOF
$top
@ IN NS a.root-servers.net.
a.root-servers.net. IN A 198.41.0.4
example.org. IN NS ns.example.org.
ns.example.org. IN A 198.51.100.1
example.net. IN NS ns.example.net.
ns.example.net. IN A 198.51.100.2
lame.example. IN NS ns.example.net.
glueless.example. IN NS ns.example.org.
inward.example. IN NS ns.inward.example.
ns.inward.example. IN A 127.0.0.1
EOF
cat >example.org <<EOF
$top
@ IN NS ns
@ IN TXT "v=spf1 include:_spf.example.net -all"
ns IN A 198.51.100.1
alias IN CNAME _spf.example.net.
via.lame IN TXT "v=spf1 include:lame.example -all"
EOF
cat >glueless.example <<EOF
$top
@ IN NS ns.example.org.
@ IN TXT "v=spf1 mx -all"
@ IN MX 10 mail.example.net.
EOF
cat >inward.example <<EOF
$top
@ IN TXT "v=spf1 -all"
EOF
cat >example.net <<EOF
$top
@ IN NS ns
ns IN A 198.51.100.2
_spf IN TXT "v=spf1 ip4:192.0.2.0/29 -all"
mail IN A 192.0.2.7
EOF

# Of a.root-servers.net. to m.root-servers.net.
readonly roots='198.41.0.4 170.247.170.2 192.33.4.12 199.7.91.13 192.203.230.10 192.5.5.241 192.112.36.4 198.97.190.53
    192.36.148.17 192.58.128.30 193.0.14.129 199.7.83.42 202.12.27.33'

serve root "$roots" root
serve org 198.51.100.1 example.org glueless.example
serve net 198.51.100.2 example.net
serve inward 127.0.0.1 inward.example

expect pass "include:_spf.example.net" --recursive --sender ann@example.org
expect fail "-all" --recursive --ip 192.0.2.9 --sender ann@example.org
expect pass "ip4:192.0.2.0/29" --recursive --sender ann@alias.example.org
expect pass "mx" --recursive --sender ann@glueless.example
expect none "does not exist" --recursive --sender ann@absent.example.org
expect none "does not exist" --recursive --sender ann@absent.example
expect temperror "lame.example" --recursive --sender ann@lame.example
expect temperror "lame.example" --recursive --sender ann@via.lame.example.org
# Nobody's delegation makes this machine ask itself.
expect temperror "inward.example" --recursive --sender ann@inward.example

printf 'resolver: recursive\n' >libspf.conf
expect pass "include:_spf.example.net" --sender ann@example.org

finish
