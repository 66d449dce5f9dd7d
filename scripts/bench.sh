#!/usr/bin/env bash
# Measures what docs/benchmarks.md tells, and writes it: bench/results/*.json, the plots beside
# them, and the tables in docs/benchmarks.md between its marks. About 8 minutes on 2 cores, and the
# builds before. Nothing in it fails because the machine is slow.
#
#   scripts/bench.sh [--profile release|quick]
#
# Environment:
#   TAGCACHE_BENCH_PARTS       which parts, of: calls pool memory apache report (default: all)
#   TAGCACHE_BENCH_PAIRS       pairs of a comparison (default 21 for calls, 15 for the others)
#   TAGCACHE_BENCH_ONLY        only the comparisons of calls whose name contains this
#   TAGCACHE_BENCH_OPERATIONS  of the memory test (default 10000000)
#   TAGCACHE_REAL_ADDR         HOST:PORT of a real TagCache server: adds the rows against it. Its
#                              entries with keys "bench:..." and the like are replaced.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apache-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/apache-lib.sh"

export PYTHONDONTWRITEBYTECODE=1
PARTS=" ${TAGCACHE_BENCH_PARTS:-calls pool memory apache report} "
RESULTS="$ROOT/bench/results"
WORK="$(mktemp -d)"
LOAD_DIR=

clean_up() {
    local status=$?
    apache_stop
    stop_tagcached
    rm -rf "$WORK" ${LOAD_DIR:+"$LOAD_DIR"}
    exit "$status"
}

wants() {
    case "$PARTS" in
    *" $1 "*) return 0 ;;
    *) return 1 ;;
    esac
}

# The packages of the contenders come with services, which we neither need nor leave running if it
# was we who brought them.
install_contenders() {
    local service new=()
    for service in redis-server memcached; do
        command -v "$service" >/dev/null || new+=("$service")
    done
    "$ROOT/scripts/setup.sh" bench
    for service in "${new[@]}"; do
        if service "$service" status >/dev/null 2>&1; then
            say "stopping the service $service, which the installation started"
            service "$service" stop
        fi
    done
}

# newest_bench NAME: builds a bench of the client crate and prints its path.
bench_binary() {
    CARGO_TARGET_DIR="$ROOT/target" cargo bench "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" \
        --package tagcache-client --bench "$1" --no-run --message-format json -j "$(jobs_wanted)" |
        sed -n "s|.*\"name\":\"$1\".*\"executable\":\"\\([^\"]*\\)\".*|\\1|p"
}

calls() {
    local arguments=()
    [ -z "${TAGCACHE_REAL_ADDR:-}" ] || arguments+=(--real "$TAGCACHE_REAL_ADDR")
    say "calls through PHP, everything on one processor"
    python3 "$ROOT/bench/run.py" --tagcached "$BINARIES/tagcached" --raw "$RAW" --php "$PHP" \
        --extension "$EXTENSION" --out "$RESULTS/calls.json" \
        --pairs "${TAGCACHE_BENCH_PAIRS:-21}" --only "${TAGCACHE_BENCH_ONLY:-}" "${arguments[@]}"
}

pool() {
    say "the pool beside others"
    TAGCACHE_BENCH_OUT="$RESULTS/pool.json" "$POOL_BENCH" --bench
    say "one check-out and check-in"
    (cd "$ROOT" && CARGO_TARGET_DIR="$ROOT/target" "$TURN_BENCH" --bench turn) |
        grep -E 'time:' || true
    # shellcheck disable=SC2016 # Python's
    python3 -c '
import json, pathlib, sys
turns = {}
for file in sorted(pathlib.Path(sys.argv[1]).glob("criterion/turn/*/new/estimates.json")):
    median = json.loads(file.read_text())["median"]
    turns[file.parent.parent.name.replace("_", " ")] = {
        "ns": median["point_estimate"], "high": median["confidence_interval"]["upper_bound"]}
print(json.dumps(turns, indent=1))' "$ROOT/target" >"$RESULTS/turn.json"
}

memory() {
    local operations="${TAGCACHE_BENCH_OPERATIONS:-10000000}" processor
    processor="$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')"
    say "memory of idle connections"
    TAGCACHE_BENCH_OUT="$RESULTS/idle.json" "$MEMORY_BENCH"
    say "memory of an entry in the server"
    python3 "$ROOT/bench/entries.py" --tagcached "$BINARIES/tagcached" --out "$RESULTS/entries.json"
    say "memory over $operations operations"
    start_tagcached "$BINARIES/tagcached" "$WORK"
    # Both on one: processors that wait for each other sleep in between, which takes three times as long.
    taskset --all-tasks --cpu-list --pid "$processor" "$TAGCACHED_PID" >/dev/null
    taskset --cpu-list "$processor" "$PHP" -n -d "extension=$EXTENSION" "$ROOT/bench/memory.php" 127.0.0.1 "$TAGCACHED_PORT" \
        "$operations" | tee "$RESULTS/growth.json"
    stop_tagcached
}

# page_rate PAGE: requests per second in one second of load.
page_rate() {
    wrk --threads 1 --connections 48 --duration 1s --timeout 30s \
        "http://127.0.0.1:$LOAD_PORT/$1" | sed -n 's/^Requests\/sec: *//p'
}

apache() {
    local extension pair page pairs="${TAGCACHE_BENCH_PAIRS:-15}" rates=() php="$PHP" config="$PHP_CONFIG"
    "$ROOT/scripts/build-php.sh" >/dev/null
    find_php zts
    extension="$("$ROOT/scripts/build-ext.sh" zts "${PROFILE_ARGUMENTS[@]}")"
    apache_prepare "$LIBPHP" "$extension"
    cp "$ROOT"/bench/pages/*.php "$LOAD_DIR/htdocs/"
    start_tagcached "$BINARIES/tagcached" "$WORK"
    apache_settings "['port' => $TAGCACHED_PORT, 'pool_size' => 8, 'name' => 'you',
        'wrong_file' => '$LOAD_DIR/wrong.txt']"
    apache_start -D FOREGROUND
    say "a page with a get beside the same page without it, and without its handle: 64 threads, 48 clients, $pairs pairs"
    for page in with handle without; do
        page_rate "$page.php" >/dev/null
    done
    for ((pair = 0; pair < pairs; pair++)); do
        for page in with handle without without handle with; do
            rates+=("$(page_rate "$page.php")")
        done
    done
    apache_stop
    stop_tagcached
    printf '%s\n' "${rates[@]}" | python3 -c '
import json, sys
rates = [float(line) for line in sys.stdin]
rounds = [rates[at:at + 6] for at in range(0, len(rates), 6)]
print(json.dumps({name: [(each[at] + each[5 - at]) / 2 for each in rounds]
                  for at, name in enumerate(["with", "handle", "without"])}, indent=1))' \
        >"$RESULTS/apache.json"
    PHP="$php" PHP_CONFIG="$config"
}

parse_profile "$@"
PROFILE_ARGUMENTS=(--profile "$PROFILE")
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
install_contenders
need cargo python3
find_php nts
mkdir -p "$RESULTS"
BINARIES="$("$ROOT/scripts/build-server.sh")"
if wants calls || wants memory; then
    EXTENSION="$("$ROOT/scripts/build-ext.sh" nts "${PROFILE_ARGUMENTS[@]}")"
fi
if wants calls; then
    CARGO_TARGET_DIR="$ROOT/target" cargo build "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" \
        --release --package tagcached --example raw_bound -j "$(jobs_wanted)"
    RAW="$ROOT/target/release/examples/raw_bound"
    calls
fi
if wants pool; then
    POOL_BENCH="$(bench_binary pool)"
    TURN_BENCH="$(bench_binary turn)"
    pool
fi
if wants memory; then
    MEMORY_BENCH="$(bench_binary memory)"
    memory
fi
if wants apache; then
    apache
fi
if wants report; then
    python3 "$ROOT/bench/report.py" "$RESULTS" "$ROOT/docs/benchmarks.md" "$PHP"
fi
say "done: docs/benchmarks.md and bench/results/"
