#!/usr/bin/env bash
# Helgrind over Apache: mpm_event with threads in one process (-X), ZTS PHP, under a load
# that checks every byte. No report may name our object, save those that its atomics and futexes
# bring, which it doesn't understand (scripts/valgrind-verdict.php says how they are told
# apart; scripts/tsan.sh judges those).
#
#   scripts/helgrind.sh [SECONDS]      (default 60)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apache-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/apache-lib.sh"

SPAN="${1:-60}"
[ "$SPAN" -ge 10 ] 2>/dev/null || die "SECONDS must be a number, 10 or more; got '$SPAN'"
need valgrind wrk curl
find_php zts
EXTENSION="$("$ROOT/scripts/build-ext.sh" zts --profile quick)"
BINARIES="$("$ROOT/scripts/build-server.sh")"
apache_prepare "$LIBPHP" "$EXTENSION"
clean_up() {
    local status=$?
    apache_stop
    stop_tagcached
    rm -rf "$LOAD_DIR"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
start_tagcached "$BINARIES/tagcached" "$LOAD_DIR"
apache_settings "['port' => $TAGCACHED_PORT, 'pool_size' => 4, 'wrong_file' => '$LOAD_DIR/wrong.txt']"
APACHE_PATIENCE=120
APACHE_UNDER=(valgrind --tool=helgrind --xml=yes "--xml-file=$LOAD_DIR/%p.xml" --num-callers=30
    --fair-sched=try)
USE_ZEND_ALLOC=0 apache_start -X
say "helgrind over Apache -X with $("$PHP_CONFIG" --version) ZTS, $SPAN s"
wrk --threads 1 --connections 12 --duration "${SPAN}s" --timeout 60s \
    --script "$ROOT/tests/apache/load.lua" "http://127.0.0.1:$LOAD_PORT/load.php" \
    >"$LOAD_DIR/wrk.out" 2>&1 || { cat "$LOAD_DIR/wrk.out" >&2; die "wrk failed"; }
apache_stop
must 'wrong answers' "$(counted wrong) $(wc -l <"$LOAD_DIR/wrong.txt")" '0 0'
[ "$(counted ok)" -gt 0 ] || FAILURES+=('no good answer')
[ "${#FAILURES[@]}" = 0 ] || die "${FAILURES[*]}"
printf 'helgrind: %s requests answered in full\n' "$(counted ok)"
"$PHP" -n "$ROOT/scripts/valgrind-verdict.php" helgrind tagcache.so "$LOAD_DIR"/*.xml
