# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# For tests that need name servers on port 53, or a resolv.conf, of their own: sourced. SPF is the command to test.

# Runs the script, whose folder is the present one, again in namespaces of its own (options of unshare), with the
# loopback interface up and an empty directory, $SCRATCH, to work in. As another user than root it becomes the root of a
# user namespace.
enter_namespaces() {
    PATH=$PATH:/usr/sbin:/sbin
    if [ -n "${SCRATCH:-}" ]; then
        trap 'kill $(jobs -p); wait' EXIT
        ip link set lo up
        return
    fi
    local program reason options=("$@")
    [ "$(id -u)" -eq 0 ] || options+=(--map-root-user)
    for program in unshare ip nsd; do
        command -v "$program" >/dev/null || skip "there is no $program"
    done
    reason=$(unshare "${options[@]}" ip link set lo up 2>&1) || skip "no namespaces: $reason"
    SCRATCH=$(mktemp -d)
    export SCRATCH
    unshare "${options[@]}" bash "$PWD/${0##*/}"
    local status=$?
    rm -rf "$SCRATCH"
    exit "$status"
}

# As ctest's SKIP_RETURN_CODE has it.
skip() {
    printf 'skipped: %s\n' "$1"
    exit 77
}

# An authoritative name server: serve NAME 'ADDRESS...' [ZONE]..., each zone being in the file $SCRATCH/ZONE; the root
# zone is called root there.
serve() {
    local name=$1 addresses=$2 address zone
    local directory=$SCRATCH/server.$name
    shift 2
    mkdir "$directory"
    {
        printf 'server:\n zonesdir: "%s"\n' "$SCRATCH"
        for address in $addresses; do
            ip address replace "$address" dev lo
            address=${address%/*} # without the length of a prefix
            [[ $address != fe80:* ]] || address+=%lo
            printf ' ip-address: %s\n' "$address"
        done
        printf ' %s: "%s"\n' pidfile "$directory/pid" xfrdfile "$directory/xfrd" zonelistfile "$directory/zones" \
            logfile "$directory/log" xfrdir "$directory" database '' username ''
        printf 'remote-control:\n control-enable: no\n'
        for zone in "$@"; do
            printf 'zone:\n name: "%s"\n zonefile: "%s"\n' "${zone/#root/.}" "$zone"
        done
    } >"$directory/conf"
    nsd -d -c "$directory/conf" >"$directory/out" 2>&1 &
    local tries
    for ((tries = 0; tries < 500; tries++)); do
        [ -z "$(ss -Hlun src "$address:53")" ] || return 0
        sleep 0.02
    done
    printf 'the name server %s does not start:\n' "$name"
    cat "$directory/out" "$directory/log"
    exit 1
}

failures=0

# expect RESULT SENTENCE ARGUMENT...: a check must give this result and a reason with these words in it, and leave
# standard error empty.
expect() {
    local result=$1 sentence=$2 out
    shift 2
    out=$("$SPF" check --config "$SCRATCH/libspf.conf" --ip 192.0.2.7 "$@" 2>"$SCRATCH/stderr")
    if [ "$(sed -n 1p <<<"$out")" = "$result" ] && sed -n 2p <<<"$out" | grep -qF -- "$sentence" &&
        [ ! -s "$SCRATCH/stderr" ]; then
        printf 'ok: %s: %s\n' "$*" "$result"
        return
    fi
    failures=$((failures + 1))
    printf 'FAILED: %s: expected is %s: %s\n%s\n' "$*" "$result" "$sentence" "$out"
    sed 's/^/on standard error: /' "$SCRATCH/stderr"
}

finish() {
    printf '%d failed\n' "$failures"
    exit "$((failures > 0))"
}
