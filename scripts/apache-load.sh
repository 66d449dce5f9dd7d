#!/usr/bin/env bash
# Load through Apache: mpm_event, one child with 64 threads, ZTS PHP inside, one pool of 8
# connections for all of them, 48 clients. Each request checks every byte of its own random keys.
#
#   scripts/apache-load.sh [--profile release|quick]
#
# Environment:
#   TAGCACHE_LOAD_SECONDS          how long (default 20)
#   TAGCACHE_LOAD_CONNECTIONS      clients (default 48; with 64 of 64 Apache itself resets some)
#   TAGCACHE_LOAD_POOL             pool size (default 8)
#   TAGCACHE_LOAD_PAGE             page under tests/apache/ (default load.php)
#   TAGCACHE_LOAD_MAX_CONNECTIONS  Apache's MaxConnectionsPerChild (default 0: never replaced)
#   TAGCACHE_LOAD_DISTURB          a command to run beside the load; it finds LOAD_DIR, LOAD_PORT,
#                                  LOAD_APACHE_PID, LOAD_TAGCACHED_BIN, LOAD_TAGCACHED_PORT and the
#                                  file LOAD_DIR/tagcached.pid, which it updates if it restarts it
#   TAGCACHE_LOAD_ALLOW_ERRORS     1: answers of 5xx that are not WRONG are counted, not failures
#
# Fails unless there were requests, no wrong answer, no 5xx and no crash of Apache's child.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need wrk curl
APACHE="$(command -v apache2 || echo /usr/sbin/apache2)"
[ -x "$APACHE" ] || die "no apache2: run 'make setup'"
find_php zts
EXTENSION="$("$ROOT/scripts/build-ext.sh" zts "$@")"
BINARIES="$("$ROOT/scripts/build-server.sh")"

SECONDS_OF_LOAD="${TAGCACHE_LOAD_SECONDS:-20}"
CONNECTIONS="${TAGCACHE_LOAD_CONNECTIONS:-48}"
PAGE="${TAGCACHE_LOAD_PAGE:-load.php}"
export LOAD_MODULES=/usr/lib/apache2/modules
LOAD_LIBPHP="$LIBPHP"
LOAD_DIR="$(mktemp -d)"
export LOAD_LIBPHP LOAD_DIR
export LOAD_MAX_CONNECTIONS="${TAGCACHE_LOAD_MAX_CONNECTIONS:-0}"
export LOAD_TAGCACHED_BIN="$BINARIES/tagcached"
LOAD_APACHE_PID=
DISTURB_PID=

clean_up() {
    local status=$?
    if [ -n "$DISTURB_PID" ]; then
        kill -- "-$DISTURB_PID" 2>/dev/null || true
    fi
    stop_apache
    # Whatever disturbed the load may have put another tagcached in place of ours.
    if [ -s "$LOAD_DIR/tagcached.pid" ] && [ "$(cat "$LOAD_DIR/tagcached.pid")" != "${TAGCACHED_PID:-}" ]; then
        kill "$(cat "$LOAD_DIR/tagcached.pid")" 2>/dev/null || true
    fi
    stop_tagcached
    rm -rf "$LOAD_DIR"
    exit "$status"
}

stop_apache() {
    [ -n "$LOAD_APACHE_PID" ] || return 0
    kill -TERM "$LOAD_APACHE_PID" 2>/dev/null || true
    wait "$LOAD_APACHE_PID" 2>/dev/null || true
    LOAD_APACHE_PID=
}

# Everything Apache reads and writes, where the user it serves as can reach it.
prepare() {
    chmod 755 "$LOAD_DIR"
    mkdir "$LOAD_DIR/htdocs"
    cp "$ROOT"/tests/apache/*.php "$LOAD_DIR/htdocs/"
    cp "$ROOT/tests/apache/php.ini" "$LOAD_DIR/php.ini"
    printf 'extension=%s\n' "$EXTENSION" >>"$LOAD_DIR/php.ini"
    : >"$LOAD_DIR/wrong.txt"
    printf "<?php\nreturn ['port' => %d, 'pool_size' => %d, 'wrong_file' => '%s'];\n" \
        "$TAGCACHED_PORT" "${TAGCACHE_LOAD_POOL:-8}" "$LOAD_DIR/wrong.txt" \
        >"$LOAD_DIR/htdocs/settings.php"
    APACHE_ARGUMENTS=(-f "$ROOT/tests/apache/httpd.conf" -D FOREGROUND)
    if [ "$(id -u)" = 0 ]; then
        chown www-data: "$LOAD_DIR/wrong.txt"
        APACHE_ARGUMENTS+=(-D AsRoot)
    fi
}

# A port that was free a moment ago can be taken when Apache comes to it: try a few.
start_apache() {
    local attempt i
    for attempt in 1 2 3; do
        LOAD_PORT="$(free_port)"
        export LOAD_PORT
        "$APACHE" "${APACHE_ARGUMENTS[@]}" >"$LOAD_DIR/apache.out" 2>&1 &
        LOAD_APACHE_PID=$!
        for ((i = 0; i < 200; i++)); do
            if curl -fsS "http://127.0.0.1:$LOAD_PORT/stats.php" >"$LOAD_DIR/before.json" 2>"$LOAD_DIR/curl.err"; then
                export LOAD_APACHE_PID
                return 0
            fi
            kill -0 "$LOAD_APACHE_PID" 2>/dev/null || break
            sleep 0.05
        done
        say "Apache did not answer (attempt $attempt)"
        stop_apache
    done
    cat "$LOAD_DIR/apache.out" "$LOAD_DIR/curl.err" >&2
    cat "$LOAD_DIR/error.log" >&2 2>/dev/null || true
    die "Apache could not be started"
}

# counted NAME: the number that load.lua printed under that name.
counted() {
    sed -n "s/^$1=//p" "$LOAD_DIR/wrk.out"
}

judge() {
    local crashes restarts=0 failures=()
    # How mod_php in a dying child shows in the parent's log.
    crashes="$(grep -cE 'exit signal|Segmentation fault|core dumped|panicked|AH00545|AH00051|AH00052' \
        "$LOAD_DIR/error.log" || true)"
    [ "$(pid_in before.json)" = "$(pid_in after.json)" ] || restarts=1

    printf 'requests            %s\n' "$(counted requests)"
    printf 'requests/s          %s\n' "$(counted per_second)"
    printf 'latency ms          p50 %s, p99 %s, slowest %s\n' \
        "$(counted p50_ms)" "$(counted p99_ms)" "$(counted slowest_ms)"
    printf 'wrong answers       %s (%s noted by the pages)\n' \
        "$(counted wrong)" "$(wc -l <"$LOAD_DIR/wrong.txt")"
    printf '5xx                 %s\n' "$(counted server_errors)"
    printf 'other than 200 ok   %s\n' "$(counted others)"
    printf 'socket errors       %s (timeouts %s)\n' "$(counted socket_errors)" "$(counted timeouts)"
    printf 'child restarts      %s (crashes in the error log: %s)\n' "$restarts" "$crashes"
    printf 'pool                %s\n' "$(pool_in after.json)"

    [ "$(counted requests)" -gt 0 ] || failures+=("no requests")
    [ "$(counted ok)" -gt 0 ] || failures+=("no good answer")
    [ "$(counted wrong)" = 0 ] && [ ! -s "$LOAD_DIR/wrong.txt" ] || failures+=("wrong answers")
    if [ "${TAGCACHE_LOAD_ALLOW_ERRORS:-0}" != 1 ]; then
        [ "$(counted server_errors)" = 0 ] || failures+=("5xx")
        [ "$(counted others)" = 0 ] || failures+=("answers that are neither ok nor 5xx")
    fi
    [ "$crashes" = 0 ] || failures+=("crashes")
    if [ "$LOAD_MAX_CONNECTIONS" = 0 ] && [ "$restarts" != 0 ]; then
        failures+=("the child was replaced")
    fi
    if [ "${#failures[@]}" -gt 0 ]; then
        sed -n 's/^sample=/an answer: /p' "$LOAD_DIR/wrk.out" | head -n 5 >&2
        head -n 5 "$LOAD_DIR/wrong.txt" >&2
        tail -n 20 "$LOAD_DIR/error.log" >&2
        printf 'apache-load: FAILED:'
        printf ' %s;' "${failures[@]}"
        printf '\n'
        return 1
    fi
    printf 'apache-load: passed\n'
}

pid_in() {
    # shellcheck disable=SC2016 # PHP's variables
    "$PHP" -n -r 'echo json_decode(file_get_contents($argv[1]))->pid;' -- "$LOAD_DIR/$1"
}

pool_in() {
    # shellcheck disable=SC2016 # PHP's variables
    "$PHP" -n -r '
        foreach (json_decode(file_get_contents($argv[1]), true)["pool"] as $name => $value) {
            echo $name, " ", is_scalar($value) ? $value : json_encode($value), "  ";
        }' -- "$LOAD_DIR/$1"
}

trap clean_up EXIT
trap 'exit 130' INT TERM HUP
start_tagcached "$LOAD_TAGCACHED_BIN" "$LOAD_DIR"
printf '%s\n' "$TAGCACHED_PID" >"$LOAD_DIR/tagcached.pid"
export LOAD_TAGCACHED_PORT="$TAGCACHED_PORT"
prepare
start_apache
say "Apache mpm_event with $("$PHP_CONFIG" --version) ZTS: $CONNECTIONS clients for $SECONDS_OF_LOAD s"
if [ -n "${TAGCACHE_LOAD_DISTURB:-}" ]; then
    setsid bash -c "$TAGCACHE_LOAD_DISTURB" >"$LOAD_DIR/disturb.out" 2>&1 &
    DISTURB_PID=$!
fi
wrk --threads 2 --connections "$CONNECTIONS" --duration "${SECONDS_OF_LOAD}s" --timeout 30s \
    --script "$ROOT/tests/apache/load.lua" "http://127.0.0.1:$LOAD_PORT/$PAGE" \
    >"$LOAD_DIR/wrk.out" 2>&1 || {
    cat "$LOAD_DIR/wrk.out" >&2
    die "wrk failed"
}
curl -fsS "http://127.0.0.1:$LOAD_PORT/stats.php" >"$LOAD_DIR/after.json" ||
    die "Apache does not answer after the load"
judge
