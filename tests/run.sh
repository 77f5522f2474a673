#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The one test command: installs what is missing, builds, runs everything, ends in a summary. Builds are kept in build/.
#   --quick   leaves out what takes long: DNS that does not answer, every allocation failing, threads, daemons, valgrind,
#             linters
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

quick=false
case "${1:-}" in
"") ;;
--quick) quick=true ;;
*)
    printf 'tests/run.sh: "%s" is no option; there is only --quick\n' "$1" >&2
    exit 64
    ;;
esac

logs=build/logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0
declare -a failures=()

# Runs a command as one test: step NAME COMMAND...
step() {
    local name=$1 started=$SECONDS
    shift
    if "$@" >"$logs/$name.log" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %-22s %4d s\n' "$name" $((SECONDS - started))
        return 0
    fi
    failed=$((failed + 1))
    failures+=("$name: see $logs/$name.log")
    printf 'FAILED  %-22s %4d s\n' "$name" $((SECONDS - started))
    tail -n 40 "$logs/$name.log"
    return 1
}

# The same for functions that run beside the steps, which mostly wait, one after the other:
# begin_aside NAME FUNCTION [NAME FUNCTION]..., and in the end finish_aside NAME...
begin_aside() {
    (
        renice -n 10 -p "$BASHPID" >/dev/null
        while [ $# -gt 0 ]; do
            started=$SECONDS
            rm -f "$logs/$1.status"
            "$2" >"$logs/$1.log" 2>&1
            printf '%d %d\n' $? $((SECONDS - started)) >"$logs/$1.status"
            shift 2
        done
    ) &
    aside=$!
}

finish_aside() {
    local name status seconds
    wait "$aside"
    for name in "$@"; do
        read -r status seconds <"$logs/$name.status" || status=1 seconds=0
        if [ "$status" -eq 0 ]; then
            passed=$((passed + 1))
            printf 'ok      %-22s %4d s   beside the others\n' "$name" "$seconds"
        else
            failed=$((failed + 1))
            failures+=("$name: see $logs/$name.log")
            printf 'FAILED  %-22s %4d s   beside the others\n' "$name" "$seconds"
            tail -n 40 "$logs/$name.log"
        fi
    done
}

skip() {
    skipped=$((skipped + 1))
    printf 'skipped %-22s %s\n' "$1" "$2"
}

# Builds a preset, its warnings being errors: build PRESET [-DOPTION]...
build() {
    local preset=$1
    shift
    cmake --preset "$preset" -DSPF_WERROR=ON "$@" && cmake --build "build/$preset" -j 2
}

# Runs a build's tests and counts each: suite PRESET [CTEST-OPTION]...
suite() {
    local preset=$1 started=$SECONDS xml
    shift
    xml=$PWD/$logs/ctest-$preset.xml
    rm -f "$xml"
    ctest --test-dir "build/$preset" -j 4 --output-on-failure --no-tests=error --output-junit "$xml" "$@" \
        >"$logs/ctest-$preset.log" 2>&1
    local status=$? all bad left
    all=$(attribute tests "$xml") bad=$(attribute failures "$xml") left=$(attribute skipped "$xml")
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1 all=$((all + 1))
    fi
    passed=$((passed + all - bad - left)) failed=$((failed + bad)) skipped=$((skipped + left))
    if [ "$bad" -eq 0 ]; then
        printf 'ok      %-22s %4d s   %d tests\n' "tests of $preset" $((SECONDS - started)) "$all"
    else
        printf 'FAILED  %-22s %4d s   %d of %d tests\n' "tests of $preset" $((SECONDS - started)) "$bad" "$all"
        failures+=("$bad tests of $preset: see $logs/ctest-$preset.log")
        grep -vE '^ *Start |  Passed ' "$logs/ctest-$preset.log" | tail -n 80
    fi
}

# An attribute of the suite in ctest's JUnit file; 0 if there is none.
attribute() {
    local value
    value=$(grep -m 1 -oE "\b$1=\"[0-9]+\"" "$2" 2>/dev/null | grep -oE '[0-9]+')
    printf '%s\n' "${value:-0}"
}

valgrind_tests() {
    local test
    for test in test_record test_config test_check test_unbound test_unbound_zones test_zones test_dns_memory test_json; do
        printf '== %s\n' "$test"
        (cd build/release/tests && valgrind -q --error-exitcode=9 --leak-check=full \
            --errors-for-leak-kinds=definite,indirect "./$test") || return 1
    done
    printf '== conformance memory\n'
    (cd build/release/tests/conformance && valgrind -q --error-exitcode=9 --leak-check=full \
        --errors-for-leak-kinds=definite,indirect ./conformance memory)
}

read_by_clang_tidy() {
    find libspf tools plugins bindings -name '*.c' -print0 | xargs -0 -P 2 -n 4 clang-tidy -p build/asan --quiet --warnings-as-errors='*'
}

read_by_cppcheck() {
    cppcheck --std=c11 --enable=warning,performance,portability --suppressions-list=tests/support/cppcheck.txt \
        --error-exitcode=1 --quiet -j 2 \
        -D_GNU_SOURCE -D__linux__ -DLOCAL_SCAN_ABI_VERSION_MAJOR=6 -I libspf -I libspf/include libspf tools plugins bindings
}

read_by_shellcheck() {
    find . -path './build*' -prune -o -path ./.git -prune -o -type f -print0 |
        xargs -0 grep -lE '^#!.*[ /](ba)?sh$' | xargs shellcheck
}

read_by_luacheck() {
    find plugins tests examples \( -name '*.lua' -o -name '*.rockspec' \) -print0 | xargs -0 luacheck --no-color -q
}

printf 'libspf: build and test%s\n' "$($quick && printf ', the quick part')"
lists=(build test)
$quick || lists+=(check daemons)
tests/support/packages/install "${lists[@]}" || exit 1

leave_out=()
$quick && leave_out=(-LE slow)

step build-release build release -DCMAKE_C_COMPILER=gcc && has_release=true || has_release=false
step build-asan build asan && has_asan=true || has_asan=false
if ! $quick; then
    begin_aside clang-tidy read_by_clang_tidy cppcheck read_by_cppcheck shellcheck read_by_shellcheck \
        luacheck read_by_luacheck
fi
$has_release && suite release "${leave_out[@]}"
$has_asan && suite asan "${leave_out[@]}"
if $quick; then
    for name in threads valgrind clang-tidy cppcheck shellcheck luacheck quickstart; do
        skip "$name" "(--quick)"
    done
else
    step build-tsan build tsan && suite tsan -L threads
    step valgrind valgrind_tests
    step quickstart examples/quickstart.sh
    finish_aside clang-tidy cppcheck shellcheck luacheck
fi

printf '\n'
for failure in "${failures[@]}"; do
    printf 'failed: %s\n' "$failure"
done
printf '%d s in all\n' "$SECONDS"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
