#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets and runs each for so many seconds, one after the other, or JOBS at a time. What is found along
# the way stays in the build folder (BUILD): corpus/TARGET, and findings/TARGET for inputs that failed. A fixed one
# belongs into seeds/TARGET.
set -eu

[ $# -ge 1 ] || {
    printf 'usage: %s SECONDS [TARGET...]\n' "$0" >&2
    exit 64
}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${BUILD:-$root/build/fuzz}
seconds=$1
shift
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cd "$here/seeds" && printf '%s\n' *)

run_target() {
    local target=$1 options=(-max_len=2048)
    mkdir -p "$build/corpus/$target" "$build/findings/$target"
    [ ! -f "$here/dictionaries/$target.dict" ] || options+=("-dict=$here/dictionaries/$target.dict")
    nice -n 19 "$build/tests/fuzz/fuzz_$target" "${options[@]}" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/findings/$target/" \
        "$build/corpus/$target" "$here/seeds/$target" >"$build/$target.log" 2>&1 || true
}

# The last value of a column in libFuzzer's own status lines.
status_of() {
    sed -nE "s/^#[0-9]+.* $2: ([0-9]+).*/\1/p" "$build/$1.log" | tail -n 1
}

statistic_of() {
    sed -nE "s/^stat::$2: *([0-9]+)/\1/p" "$build/$1.log" | tail -n 1
}

"$root/tests/support/packages/install" build test
(cd "$root" && cmake --preset fuzz -B "$build" >/dev/null)
cmake --build "$build" -j 2 --target "${targets[@]/#/fuzz_}"
for target in "${targets[@]}"; do
    while [ "$(jobs -pr | wc -l)" -ge "${JOBS:-1}" ]; do
        wait -n
    done
    run_target "$target" &
done
wait

failures=0
printf '\n%-8s %12s %8s %8s %9s %7s %9s\n' target executions exec/s edges features corpus findings
for target in "${targets[@]}"; do
    findings=$(find "$build/findings/$target" -type f | wc -l)
    [ "$findings" -eq 0 ] && [ -n "$(statistic_of "$target" number_of_executed_units)" ] || failures=$((failures + 1))
    printf '%-8s %12s %8s %8s %9s %7s %9s\n' "$target" "$(statistic_of "$target" number_of_executed_units)" \
        "$(statistic_of "$target" average_exec_per_sec)" "$(status_of "$target" cov)" "$(status_of "$target" ft)" \
        "$(find "$build/corpus/$target" -type f | wc -l)" "$findings"
done
exit $((failures > 0))
