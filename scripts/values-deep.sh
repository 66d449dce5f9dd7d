#!/usr/bin/env bash
# A million random values for each serializer, in and out: what tests/values checks with ten
# thousand.
#
#   scripts/values-deep.sh nts|zts [COUNT] [SERIALIZER...]
#
# Talks to TAGCACHE_TEST_ADDR if that is set, else to a tagcached of its own. The last line on
# stdout is "values FLAVOUR: N passed, N failed", counting serializers.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FLAVOUR="${1:-}"
find_php "$FLAVOUR"
COUNT="${2:-1000000}"
SERIALIZERS=("${@:3}")
[ "${#SERIALIZERS[@]}" -gt 0 ] || SERIALIZERS=(php igbinary msgpack json native)
EXTENSION="$("$ROOT/scripts/build-ext.sh" "$FLAVOUR")"
EXTENSIONS="$(find_serializers "$FLAVOUR")"

WORK="$(mktemp -d)"
trap 'stop_tagcached; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
if [ -z "${TAGCACHE_TEST_ADDR:-}" ]; then
    start_tagcached "$("$ROOT/scripts/build-server.sh")/tagcached" "$WORK"
    export TAGCACHE_TEST_ADDR="127.0.0.1:$TAGCACHED_PORT"
fi

passed=0 failed=0
for serializer in "${SERIALIZERS[@]}"; do
    say "$COUNT values with the serializer $serializer on PHP $FLAVOUR"
    # shellcheck disable=SC2016 # PHP's variables
    if [ "$("$PHP" -n -d memory_limit=1G -d "extension=$EXTENSIONS/igbinary.so" \
        -d "extension=$EXTENSIONS/msgpack.so" -d "extension=$EXTENSION" -r '
            require $argv[1];
            check_values($argv[2], (int) $argv[3]);
            finish();' "$ROOT/tests/inc/values.inc" "$serializer" "$COUNT" |
        tee /dev/stderr | tail -n 1)" = ok ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
printf 'values %s: %d passed, %d failed\n' "$FLAVOUR" "$passed" "$failed"
[ "$failed" = 0 ]
