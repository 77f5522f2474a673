#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# LuaRocks builds the module against a libspf that is installed: test_rockspec.sh BUILD-FOLDER ABI INTERPRETER
set -euo pipefail
build=$1 abi=$2 interpreter=$3
sources=$(cd "$(dirname "$0")/../../plugins/lua" && pwd)
command -v luarocks >/dev/null || { printf 'luarocks is not installed\n'; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/usr" >"$work/install.log"
# LuaRocks leaves its objects beside the sources, and keeps files in the home directory.
mkdir "$work/lua" "$work/home"
cp "$sources"/*.[ch] "$sources"/*.rockspec "$work/lua"
cd "$work/lua"
HOME=$work/home luarocks --lua-version "$abi" --tree "$work/tree" make ./*.rockspec LIBSPF_DIR="$work/usr" \
    >"$work/make.log" 2>&1 || { cat "$work/make.log"; exit 1; }
LUA_CPATH="$work/tree/lib/lua/$abi/?.so" LD_LIBRARY_PATH=$(dirname "$(find "$work/usr" -name libspf.so.0)") "$interpreter" -e '
    local libspf = require "libspf"
    local zone = "example.com. 300 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
    local context = libspf.context{resolver = "none", zone_text = zone}
    assert(context:check("192.0.2.7", "ann@example.com", "h").result == "pass")
    print("libspf " .. libspf.version)'
