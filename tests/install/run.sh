#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs a build into a folder of its own and uses it as others would: run.sh BUILD-FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

step() {
    printf '== %s\n' "$*"
}

step "cmake --install"
(cd "$work" && cmake --install "$build" --prefix prefix) >"$work/install.log" # relative, as people write it
libdir=$(dirname "$(find "$prefix" -name libspf.so.0)")
export PKG_CONFIG_PATH=$libdir/pkgconfig
export LD_LIBRARY_PATH=$libdir
for file in include/spf.h include/spf_resolver.h bin/spf share/man/man1/spf.1 share/man/man3/libspf.3 \
    share/man/man3/spf_check_run.3 share/man/man5/libspf.conf.5; do
    [ -f "$prefix/$file" ] || { printf '%s is not installed\n' "$file"; exit 1; }
done
for file in libspf.so libspf.a pkgconfig/libspf.pc cmake/libspf/libspf-config.cmake; do
    [ -e "$libdir/$file" ] || { printf '%s is not installed\n' "$file"; exit 1; }
done
[ "$(env -u LD_LIBRARY_PATH "$prefix/bin/spf" --version)" = "spf $(pkg-config --modversion libspf) (libspf $(pkg-config --modversion libspf))" ]

step "exports: the map's, and no other"
nm -D --defined-only "$libdir/libspf.so.0" | awk '$2 != "A" {sub("@.*", "", $3); print $3}' | sort >"$work/exported"
sed -n 's/^ *\(spf_[a-z0-9_]*\);$/\1/p' "$here/../../libspf/libspf.map" | sort >"$work/listed"
diff "$work/listed" "$work/exported"
# What Exim, rspamd and libspf2 call their own.
if grep -E '^(spf_(result|request|server|response|received|guess)$|spf_addr_|spf_lib_ctx|spf_library_config|SPF_)' \
    "$work/exported"; then
    exit 1
fi
readelf -d "$libdir/libspf.so.0" | grep -q 'SONAME.*\[libspf.so.0\]'

flags() {
    pkg-config "$@" libspf
}
# shellcheck disable=SC2046 # flags are words
{
    step "pkg-config, shared"
    cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$here/program.c" -o "$work/shared" $(flags --cflags --libs)
    "$work/shared"
    readelf -d "$work/shared" | grep -q 'NEEDED.*libspf.so.0'

    step "pkg-config, static"
    cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$here/program.c" -o "$work/static" \
        $(flags --static --cflags --libs | sed 's/-lspf/-l:libspf.a/')
    env -u LD_LIBRARY_PATH "$work/static"

    step "pkg-config, C++"
    c++ -x c++ -Wall -Wextra -Wpedantic -Werror "$here/program.c" -o "$work/cplusplus" $(flags --cflags --libs)
    "$work/cplusplus"
}

step "find_package"
cmake -G Ninja -S "$here" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" >"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }
cmake --build "$work/cmake" >"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }
"$work/cmake/shared"
env -u LD_LIBRARY_PATH "$work/cmake/static"
