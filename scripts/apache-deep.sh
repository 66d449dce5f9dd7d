#!/usr/bin/env bash
# The load through Apache under which everything goes wrong that may: mpm_event, ZTS PHP, 64 threads
# in one child, one pool of 8 connections, up to 48 clients, and all the while
#
#   - the server is killed (kill -9) and restarted, and stalled for 2 seconds;
#   - Apache restarts gracefully, and children reach MaxConnectionsPerChild (first 60 % of the time;
#     then they stay, and one's descriptors and memory are compared);
#   - one request in ten dies by exit, an uncaught exception, memory_limit or the time limit, in the
#     open, from within a call of the extension, or with a batch half done.
#
#   scripts/apache-deep.sh [SECONDS] [--profile release|quick]      (default 20; 60 and more is deep)
#
# The load lasts for so long, and on a slow machine until all of that has been done.
#
# Each request checks every byte that comes back (tests/apache/load.php). Each write is tied to the
# generation of the server that acknowledged it: a later read in the same generation, by the same
# request or any other, must find it (tests/apache/deep.php).
#
# Environment: TAGCACHE_DEEP_KILLS, TAGCACHE_DEEP_STALLS, TAGCACHE_DEEP_GRACEFULS (how many; default
# 50, 5, 20 from 10 minutes on, fewer in less), TAGCACHE_DEEP_CLIENTS (48), TAGCACHE_DEEP_DEATHS (of
# 1000 requests, 100), TAGCACHE_DEEP_SLACK_MS (by how much a call may miss its deadline; 500, as 48
# threads share the processors with the server and the clients).
#
# Fails if one of these is not 0: wrong answers, lost acknowledged writes, errors that no disturbance
# explains (of time limits one request in 50 may be: the machine may do something else, too),
# crashes, calls past their deadline and slack, connections that a request has not given back when it
# is over (the extension reports them, which counts as a crash), connections out or descriptors left
# at the end.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apache-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/apache-lib.sh"

SPAN=20
case "${1:-}" in
'' | --*) ;;
*)
    SPAN="$1"
    shift
    ;;
esac
[ "$SPAN" -ge 10 ] 2>/dev/null || die "SECONDS must be a number, 10 or more; got '$SPAN'"
need wrk curl
find_php zts
EXTENSION="$("$ROOT/scripts/build-ext.sh" zts "$@")"
BINARIES="$("$ROOT/scripts/build-server.sh")"

if [ "$SPAN" -ge 600 ]; then
    COUNTS=(50 5 20)
else
    COUNTS=($((SPAN / 6 + 1)) $((SPAN / 60 + 1)) $((SPAN / 20 + 1)))
fi
KILLS="${TAGCACHE_DEEP_KILLS:-${COUNTS[0]}}"
STALLS="${TAGCACHE_DEEP_STALLS:-${COUNTS[1]}}"
GRACEFULS="${TAGCACHE_DEEP_GRACEFULS:-${COUNTS[2]}}"
CLIENTS="${TAGCACHE_DEEP_CLIENTS:-48}"
SLACK_MS="${TAGCACHE_DEEP_SLACK_MS:-500}"
readonly DEADLINE_MS=1000 BACKOFF_MS=300 POOL=8
GENERATION=0
STATE=0
WRK_PID=

clean_up() {
    local status=$?
    [ -z "$WRK_PID" ] || kill "$WRK_PID" 2>/dev/null || true
    # A server that is stopped would not hear SIGTERM.
    [ -z "${TAGCACHED_PID:-}" ] || kill -CONT "$TAGCACHED_PID" 2>/dev/null || true
    apache_stop
    stop_tagcached
    rm -rf "$LOAD_DIR"
    exit "$status"
}

# state WORD: tells the pages what happens to the server; the number makes every change visible.
state() {
    STATE=$((STATE + 1))
    printf '%s %d\n' "$1" "$STATE" >"$LOAD_DIR/state.new"
    mv "$LOAD_DIR/state.new" "$LOAD_DIR/state.txt"
}

# Gives the running server its number, over its own protocol.
name_generation() {
    local answer
    GENERATION=$((GENERATION + 1))
    exec 7<>"/dev/tcp/127.0.0.1/$TAGCACHED_PORT"
    printf 'PUT\tgeneration\t-\t-\t%d\n' "$GENERATION" >&7
    read -r -t 5 answer <&7
    exec 7<&-
    [ "$answer" = OK ] || die "tagcached did not take its number: $answer"
}

# On the port of the first one. Only the pages' answers may be delayed by us, so no sleep is long.
restart_tagcached() {
    rm -f "$LOAD_DIR/tagcached.port"
    "$BINARIES/tagcached" --listen "127.0.0.1:$TAGCACHED_PORT" \
        --port-file "$LOAD_DIR/tagcached.port" >>"$LOAD_DIR/tagcached.log" 2>&1 &
    TAGCACHED_PID=$!
    local i
    for ((i = 0; i < 500; i++)); do
        [ ! -s "$LOAD_DIR/tagcached.port" ] || break
        kill -0 "$TAGCACHED_PID" 2>/dev/null || die "tagcached did not come back, see its log"
        sleep 0.01
    done
    name_generation
}

do_kill() {
    state down
    kill -KILL "$TAGCACHED_PID"
    wait "$TAGCACHED_PID" 2>/dev/null || true
    # Every other time it is back before most of the requests under way have noticed.
    [ $((KILLED % 2)) = 0 ] || sleep 0.2
    restart_tagcached
    # By then every breaker has tried again.
    sleep "0.$((2 * BACKOFF_MS))"
    state up
    KILLED=$((KILLED + 1))
}

do_stall() {
    state stalled
    kill -STOP "$TAGCACHED_PID"
    sleep 2
    kill -CONT "$TAGCACHED_PID"
    # What had been sent to it before is carried out now; let it.
    sleep 0.2
    state up
    STALLED=$((STALLED + 1))
}

do_graceful() {
    kill -USR1 "$LOAD_APACHE_PID"
    RESTARTED=$((RESTARTED + 1))
}

# From now on children stay, as far as it is up to us: Apache starts one more when most threads of
# the others are busy, and ends one when many are not.
do_settle() {
    child_limits 0 0
    kill -USR1 "$LOAD_APACHE_PID"
    sleep 3
    SETTLED=1
}

# Notes the figures of the child that happens to answer, the first time that it does.
note_child() {
    local settled
    apache_page_of_any stats.php >"$LOAD_DIR/now.json" || return 0
    settled="$LOAD_DIR/settled-$(json_of now.json pid).json"
    [ -f "$settled" ] || cp "$LOAD_DIR/now.json" "$settled"
}

# The figures of a child that was there under load and is still, as settled.json and after.json.
compare_child() {
    local i settled
    for ((i = 0; i < 100; i++)); do
        apache_page_of_any stats.php >"$LOAD_DIR/after.json" || die "Apache does not answer after the load"
        settled="$LOAD_DIR/settled-$(json_of after.json pid).json"
        if [ -f "$settled" ]; then
            cp "$settled" "$LOAD_DIR/settled.json"
            return 0
        fi
    done
    FAILURES+=("no child that was seen under load is left to compare")
    cp "$LOAD_DIR/after.json" "$LOAD_DIR/settled.json"
}

# child_limits CONNECTIONS REQUESTS: how soon a child is replaced, how soon a connection.
child_limits() {
    printf 'MaxConnectionsPerChild %d\nMaxKeepAliveRequests %d\n' "$1" "$2" >"$LOAD_DIR/child.conf"
}

# The programme: one line "milliseconds action" each, in order.
programme() {
    local span=$((SPAN * 1000)) churn=$((SPAN * 600)) i
    {
        for ((i = 1; i <= KILLS; i++)); do
            echo "$((span * i / (KILLS + 1))) kill"
        done
        for ((i = 1; i <= STALLS; i++)); do
            echo "$((span * (2 * i - 1) / (2 * STALLS) + span / (3 * KILLS + 3))) stall"
        done
        for ((i = 1; i <= GRACEFULS; i++)); do
            echo "$((churn * i / (GRACEFULS + 1))) graceful"
        done
        echo "$churn settle"
    } | sort -n
}

milliseconds() {
    echo $(($(date +%s%N) / 1000000))
}

# Notes which processes serve.
look_at_children() {
    apache_children | tr ' ' '\n' >>"$LOAD_DIR/children.txt"
    [ "$SETTLED" = 0 ] || note_child
}

disturb() {
    local began at action left
    began="$(milliseconds)"
    while read -r at action; do
        while left=$((at - ($(milliseconds) - began))) && [ "$left" -gt 0 ]; do
            look_at_children
            sleep "0.$(printf '%03d' $((left < 500 ? left : 500)))"
        done
        kill -0 "$WRK_PID" 2>/dev/null || break
        "do_$action"
    done < <(programme; echo "$((SPAN * 1000)) end")
    look_at_children
}

# The load ends, and says what it has counted.
do_end() {
    kill -INT "$WRK_PID"
}

judge() {
    local children crashes replaced late hurried
    # Time limits, which a machine that is busy with something else explains, up to a point.
    hurried="$(grep -cE ' TagCache.(PoolExhausted|Timeout)Exception: ' "$LOAD_DIR/errors.txt" || true)"
    crashes="$(apache_crashes)"
    children="$(sort -u "$LOAD_DIR/children.txt" | grep -c .)"
    replaced=$((children - RESTARTED - 2))
    late="$(awk -v ms="$(counted slowest_call_ms)" -v limit=$((DEADLINE_MS + SLACK_MS)) \
        'BEGIN { print (ms > limit) ? 1 : 0 }')"
    {
        row 'seconds of load' "$SPAN"
        row requests "$(counted requests) ($(counted per_second) a second)"
        row 'answered in full' "$(counted ok)"
        row 'died as they were meant to' "$(counted requests_died): $(counted died)"
        row 'met another server half way' "$(counted restarted)"
        row 'errors while the server was away' "$(counted errors)"
        row 'wrong answers' "$(counted wrong) ($(wc -l <"$LOAD_DIR/wrong.txt") noted by the pages)"
        row 'lost acknowledged writes' "$(counted lost) ($(wc -l <"$LOAD_DIR/lost.txt") noted; $(wc -l <"$LOAD_DIR/ledger.txt") in the ledger)"
        row 'errors without a reason' "$(wc -l <"$LOAD_DIR/errors.txt") ($hurried by time limits)"
        row 'answers of no known kind' "$(counted other)"
        row crashes "$crashes"
        row 'connections kept by a request' "$(grep -c 'not given back' "$LOAD_DIR/error.log" || true)"
        row 'slowest call' "$(counted slowest_call_ms) ms ($(counted slowest_call)), deadline $DEADLINE_MS ms"
        row 'requests, ms' "p50 $(counted p50_ms), p99 $(counted p99_ms), slowest $(counted slowest_ms)"
        row 'server killed, stalled' "$KILLED, $STALLED"
        row 'graceful restarts' "$((RESTARTED + 1))"
        row 'children replaced by their limit' "$replaced"
        row 'socket errors of the clients' "$(counted socket_errors) (timeouts $(counted timeouts))"
        row 'descriptors, start and end' "$(json_of settled.json descriptors), $(json_of after.json descriptors) ($(json_of after.json descriptors_by_kind))"
        row 'memory MiB, start and end' "$(($(json_of settled.json rss_kb) / 1024)), $(($(json_of after.json rss_kb) / 1024))"
        row 'pool at the end' "$(json_of after.json pool)"
    }

    [ "$(counted requests)" -gt 0 ] && [ "$(counted ok)" -gt 0 ] || FAILURES+=("no good answer")
    [ "$(counted requests_died)" -gt 0 ] || FAILURES+=("no script died")
    must 'wrong answers' "$(counted wrong) $(wc -l <"$LOAD_DIR/wrong.txt")" '0 0'
    must 'lost acknowledged writes' "$(counted lost) $(wc -l <"$LOAD_DIR/lost.txt")" '0 0'
    must 'errors without a reason' "$(($(wc -l <"$LOAD_DIR/errors.txt") - hurried))" 0
    [ "$hurried" -le "$(($(counted requests) / 50))" ] || FAILURES+=("$hurried time limits without a reason")
    must 'answers of no known kind' "$(counted other)" 0
    must crashes "$crashes" 0
    must 'calls past deadline and slack' "$late" 0
    must 'kills' "$KILLED" "$KILLS"
    must 'stalls' "$STALLED" "$STALLS"
    must 'graceful restarts' "$RESTARTED" "$GRACEFULS"
    [ "$replaced" -gt 0 ] || FAILURES+=("no child reached MaxConnectionsPerChild")
    must 'connections out at the end' "$(json_of after.json pool in_use)" 0
    must 'waiters at the end' "$(json_of after.json pool waiters)" 0
    if [ "$(json_of after.json descriptors)" -gt $(($(json_of before.json descriptors) + POOL + 2)) ]; then
        FAILURES+=("descriptors are left over")
    fi
    if [ "${#FAILURES[@]}" -gt 0 ]; then
        sed -n 's/^sample=/an answer: /p' "$LOAD_DIR/wrk.out" | head -n 5 >&2
        head -qn 40 "$LOAD_DIR"/{wrong,lost,errors}.txt >&2
        tail -n 20 "$LOAD_DIR/error.log" >&2
        printf 'apache-deep: FAILED:'
        printf ' %s;' "${FAILURES[@]}"
        printf '\n'
        return 1
    fi
    printf 'apache-deep: passed\n'
}

row() {
    printf '%-34s%s\n' "$1" "$2"
}

apache_prepare "$LIBPHP" "$EXTENSION"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
start_tagcached "$BINARIES/tagcached" "$LOAD_DIR"
name_generation
state up
apache_settings "['port' => $TAGCACHED_PORT, 'pool_size' => $POOL,
    'wrong_file' => '$LOAD_DIR/wrong.txt', 'deep' => [
    'options' => ['timeout_ms' => $DEADLINE_MS, 'connect_backoff_ms' => $BACKOFF_MS], 'deaths' => ${TAGCACHE_DEEP_DEATHS:-100},
    'lost_file' => '$LOAD_DIR/lost.txt', 'error_file' => '$LOAD_DIR/errors.txt',
    'ledger_file' => '$LOAD_DIR/ledger.txt', 'state_file' => '$LOAD_DIR/state.txt']]"
# Connections end after 50 requests, and with a script that dies: some 80 a second, so that a child
# lasts for a few seconds in a short run and for half a minute in a long one.
child_limits $((SPAN + 150)) 50
apache_start -D FOREGROUND -D Deep
say "Apache mpm_event with $("$PHP_CONFIG" --version) ZTS: $CLIENTS clients, $SPAN s," \
    "$KILLS kills, $STALLS stalls, $GRACEFULS graceful restarts"

KILLED=0 STALLED=0 RESTARTED=0 SETTLED=0
wrk --threads 2 --connections "$CLIENTS" --duration "$((SPAN * 5))s" --timeout 30s \
    --script "$ROOT/tests/apache/deep.lua" "http://127.0.0.1:$LOAD_PORT/load.php" \
    >"$LOAD_DIR/wrk.out" 2>&1 &
WRK_PID=$!
disturb
wait "$WRK_PID" || {
    cat "$LOAD_DIR/wrk.out" >&2
    die "wrk failed"
}
WRK_PID=
# Let Apache see that the clients have gone.
sleep 2
compare_child
judge
