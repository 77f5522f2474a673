#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The layers of libspf point down only: a folder may include itself and those before it.
set -u
cd "$(dirname "$0")/../libspf" || exit 2

layers=(base syntax core dns tools report api)
failures=0

complain() {
    printf '%s\n' "$1"
    failures=$((failures + 1))
}

declare -A allowed
below=
for layer in "${layers[@]}"; do
    below="$below $layer"
    allowed[$layer]=$below
done

for folder in */; do
    folder=${folder%/}
    [ "$folder" = include ] || [ -n "${allowed[$folder]:-}" ] || complain "libspf/$folder is no layer"
done

includes=0
while IFS=: read -r file line text; do
    includes=$((includes + 1))
    layer=${file%%/*}
    header=$(sed -E 's/^[^"]*"([^"]*)".*/\1/' <<<"$text")
    target=${header%%/*}
    if [ "$target" = "$header" ]; then
        [ -f "include/$header" ] || complain "libspf/$file:$line: \"$header\" names no layer"
    elif [ "$layer" = include ] || [[ " ${allowed[$layer]} " != *" $target "* ]]; then
        complain "libspf/$file:$line: $layer includes \"$header\", which is above it"
    fi
done < <(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' .  | sed 's|^\./||')

[ "$includes" -gt 50 ] || complain "only $includes includes found: this check looks at the wrong place"
printf '%d includes, %d against the layers\n' "$includes" "$failures"
[ "$failures" -eq 0 ]
