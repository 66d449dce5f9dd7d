#!/usr/bin/env bash
# A million random values for each serializer, in and out: what tests/values checks with ten
# thousand.
#
#   scripts/values-deep.sh nts|zts [--profile release|quick] [COUNT] [SERIALIZER...]
#
# Talks to TAGCACHE_TEST_ADDR if that is set, else to a tagcached of its own. The last line on
# stdout is "values FLAVOUR: N passed, N failed", counting serializers.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FLAVOUR="${1:-}"
find_php "$FLAVOUR"
shift
PROFILE_ARGUMENTS=()
if [ "${1:-}" = --profile ]; then
    PROFILE_ARGUMENTS=("$1" "${2:-}")
    shift 2
fi
COUNT="${1:-1000000}"
SERIALIZERS=("${@:2}")
[ "${#SERIALIZERS[@]}" -gt 0 ] || SERIALIZERS=(php igbinary msgpack json native)
EXTENSION="$("$ROOT/scripts/build-ext.sh" "$FLAVOUR" "${PROFILE_ARGUMENTS[@]}")"
EXTENSIONS="$(find_serializers)"

WORK="$(mktemp -d)"
CHILDREN=()
trap 'kill "${CHILDREN[@]}" 2>/dev/null || true; stop_tagcached; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
if [ -z "${TAGCACHE_TEST_ADDR:-}" ]; then
    start_tagcached "$("$ROOT/scripts/build-server.sh")/tagcached" "$WORK"
    export TAGCACHE_TEST_ADDR="127.0.0.1:$TAGCACHED_PORT"
fi

# Each process takes a share of one serializer's values, from a seed of its own; as many run at once as
# there are processors.
SHARES=8
start_share() {
    local serializer="$1" share="$2"
    # shellcheck disable=SC2016 # PHP's variables
    "$PHP" -n -d memory_limit=1G -d "extension=$EXTENSIONS/igbinary.so" \
        -d "extension=$EXTENSIONS/msgpack.so" -d "extension=$EXTENSION" -r '
            require $argv[1];
            check_values($argv[2], (int) $argv[3]);
            finish();' "$ROOT/tests/inc/values.inc" "$serializer" $(((COUNT + SHARES - 1) / SHARES)) \
        >"$WORK/$serializer.$share" 2>&1 </dev/null &
    CHILDREN[$!]=$!
}

say "$COUNT values for each of ${SERIALIZERS[*]} on PHP $FLAVOUR, $(jobs_wanted) processes"
running=0
for serializer in "${SERIALIZERS[@]}"; do
    for ((share = 0; share < SHARES; share++)); do
        if [ "$running" -ge "$(jobs_wanted)" ]; then
            wait -n -p ended "${CHILDREN[@]}" || true
            unset "CHILDREN[$ended]"
            running=$((running - 1))
        fi
        start_share "$serializer" "$share"
        running=$((running + 1))
    done
done
wait "${CHILDREN[@]}" || true
CHILDREN=()

passed=0 failed=0
for serializer in "${SERIALIZERS[@]}"; do
    good=0
    for ((share = 0; share < SHARES; share++)); do
        if [ "$(tail -n 1 "$WORK/$serializer.$share")" = ok ]; then
            good=$((good + 1))
        else
            head -c 4000 "$WORK/$serializer.$share" >&2
        fi
    done
    say "$serializer: $good of $SHARES shares"
    if [ "$good" = "$SHARES" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
printf 'values %s: %d passed, %d failed\n' "$FLAVOUR" "$passed" "$failed"
[ "$failed" = 0 ]
