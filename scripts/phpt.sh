#!/usr/bin/env bash
# Runs the .phpt tests with PHP's own run-tests.php.
#
#   scripts/phpt.sh FLAVOUR [--profile release|quick] [PATH...]
#
# PATH is a .phpt file or a directory; without one, everything under tests/ runs. Builds what is
# missing. The tests find in their environment
#   TAGCACHE_TEST_ADDR   the server to talk to: what the caller set, else a tagcached of our own
#   TAGCACHE_TEST_FLAVOUR    which PHP they run on, by the name that the scripts have for it
#   TAGCACHED_BIN        the binaries, for tests that want a server for themselves
#   TAGCACHE_FAULT_BIN
# and the extensions igbinary and msgpack loaded.
#
# Every skip must stand in tests/skips.txt. The exit code is 0 only if all tests passed or were
# skipped as listed. The last line on stdout is "phpt FLAVOUR: N passed, N failed, N skipped".
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
TESTS=()
for path in "$@"; do
    [ -e "$path" ] || die "there is no test '$path'"
    TESTS+=("$(realpath "$path")")
done
[ "${#TESTS[@]}" -gt 0 ] || TESTS=("$ROOT/tests")
[ -f "$PHP_RUN_TESTS" ] || die "no $PHP_RUN_TESTS: run 'make setup'"

EXTENSION="$("$ROOT/scripts/build-ext.sh" "$FLAVOUR" "${PROFILE_ARGUMENTS[@]}")"
SERIALIZERS="$(find_serializers)"
BINARIES="$("$ROOT/scripts/build-server.sh")"
export TAGCACHED_BIN="$BINARIES/tagcached" TAGCACHE_FAULT_BIN="$BINARIES/tagcached-fault"

# run-tests.php writes beside the tests, so two runs at once would spoil each other.
mkdir -p "$ROOT/target"
exec 8>"$ROOT/target/phpt.lock"
flock -n 8 || {
    say "another phpt run is under way, waiting for it"
    flock 8
}

WORK="$(mktemp -d)"
trap 'stop_tagcached; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

SERVER=real
if [ -z "${TAGCACHE_TEST_ADDR:-}" ]; then
    SERVER=own
    start_tagcached "$TAGCACHED_BIN" "$WORK" 8>&-
    export TAGCACHE_TEST_ADDR="127.0.0.1:$TAGCACHED_PORT"
fi
export TAGCACHE_TEST_SERVER="$SERVER" TAGCACHE_TEST_FLAVOUR="$FLAVOUR"

say "phpt on PHP $("$PHP_CONFIG" --version) $FLAVOUR against $TAGCACHE_TEST_ADDR ($SERVER)"
STATUS=0
(
    # Without variables_order=E the tests would not see the environment that we prepared.
    cd "$ROOT"
    export NO_INTERACTION=1 REPORT_EXIT_STATUS=1 TEST_PHP_EXECUTABLE="$PHP"
    unset TEST_PHP_ARGS TEST_PHP_CGI_EXECUTABLE
    exec "$PHP" -n -d variables_order=EGPCS "$PHP_RUN_TESTS" -n -q -j2 --no-progress \
        --no-color --offline --set-timeout 120 --show-diff \
        -d "extension=$SERIALIZERS/igbinary.so" -d "extension=$SERIALIZERS/msgpack.so" \
        -d "extension=$EXTENSION" -W "$WORK/results" "${TESTS[@]}"
) </dev/null 8>&- >"$WORK/output" 2>&1 || STATUS=$?
grep -v '^PASS ' "$WORK/output" >&2 || true

if [ "$SERVER" = own ] && ! kill -0 "$TAGCACHED_PID" 2>/dev/null; then
    cat "$WORK/tagcached.log" >&2
    die "the tagcached of the tests died during the run"
fi
[ -s "$WORK/results" ] || die "run-tests.php reported no test at all (exit code $STATUS)"

# What stood in the result file, against the list of skips.
VERDICT=0
"$PHP" -n "$ROOT/scripts/phpt-verdict.php" "$FLAVOUR" "$SERVER" "$ROOT" "$WORK/results" || VERDICT=1
if [ "$VERDICT" = 0 ] && [ "$STATUS" != 0 ]; then
    say "error: run-tests.php ended with exit code $STATUS though no test failed"
    VERDICT=1
fi
exit "$VERDICT"
