#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The ACL of plugins/exim/README.md in a session that Exim only plays (exim -bh): no network, no mail, nothing installed.
#   examples/exim.sh [BUILD-FOLDER]      needs exim4-daemon-heavy, and a build with the plugin (exim4-dev)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# Exim's user may not be able to look into this folder.
cp "$build/plugins/exim/libspf_exim.so" "$build/libspf/libspf.so.0" examples/quickstart.zone "$folder"
export LD_LIBRARY_PATH=$folder
printf 'resolver: none\nzone: %s\n' "$folder/quickstart.zone" >"$folder/libspf.conf"
cat >"$folder/exim.conf" <<END
LIBSPF = $folder/libspf_exim.so
primary_hostname = mx.example.org
tls_advertise_hosts =
spool_directory = $folder
log_file_path = $folder/%slog
hostlist relay_from_hosts = 127.0.0.1
acl_smtp_connect = acl_check_connect
acl_smtp_mail = acl_check_mail

begin acl
acl_check_connect:
  accept set acl_c_spf = \${dlfunc{LIBSPF}{spf_config}{$folder/libspf.conf}}
$(sed -n '/^acl_check_mail:/,/^```/p' plugins/exim/README.md | sed '$d')
END
chmod -R a+rX "$folder"

# What the client at this address says, and what it is told.
session() {
    printf '\n== A client at %s\n' "$1"
    printf '%s\r\n' 'EHLO mail.example.net' 'MAIL FROM:<ann@example.com>' QUIT |
        /usr/sbin/exim4 -C "$folder/exim.conf" -bh "$1" 2>"$folder/trace" | tr -d '\r' | grep -E '^(250 OK|[45])' || true
    grep -a '^LOG: ' "$folder/trace" || true
}

session 203.0.113.25
session 198.51.100.9
