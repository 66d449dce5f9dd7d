# shellcheck shell=bash
# Functions shared by the scripts of this directory. Source it; it starts nothing.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
readonly ROOT

# In CI a Cargo.lock that lags behind is an error; on a laptop cargo may bring it up to date.
LOCKED=()
if [ -n "${CI:-}" ]; then
    # shellcheck disable=SC2034 # the scripts that build use it
    LOCKED=(--locked)
fi

# One line of progress on stderr, with the seconds since the outermost script began.
# stdout stays free for results, so that scripts can be used in $(...).
TAGCACHE_STARTED="${TAGCACHE_STARTED:-$(date +%s)}"
export TAGCACHE_STARTED
say() {
    printf '[%4ds] %s\n' "$(($(date +%s) - TAGCACHE_STARTED))" "$*" >&2
}

die() {
    say "error: $*"
    exit 1
}

# duration SECONDS: "2m 05s".
duration() {
    if [ "$1" -ge 60 ]; then
        printf '%dm %02ds' $(($1 / 60)) $(($1 % 60))
    else
        printf '%ds' "$1"
    fi
}

# need COMMAND...: stop with one clear line if a command is missing.
need() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null ||
            die "'$command' is missing: run 'make setup' (for make check-deep: 'scripts/setup.sh deep')"
    done
}

# with_progress LOG TELL COMMAND...: runs COMMAND with its output in LOG, and every 15 s
# (TAGCACHE_PROGRESS) says what the command TELL prints, so that nothing is silent for long.
with_progress() {
    local log="$1" tell="$2" main="$BASHPID" status=0 ticker
    shift 2
    (
        # A pipe that nobody writes to: waiting for it starts no process that could outlive us.
        exec 3<> <(:)
        until read -r -t "${TAGCACHE_PROGRESS:-15}" _ <&3 || ! kill -0 "$main" 2>/dev/null; do
            say "$("$tell" 2>/dev/null || true)"
        done
    ) &
    ticker=$!
    "$@" >>"$log" 2>&1 || status=$?
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    return "$status"
}

# Where things live that are expensive to make and belong to no checkout.
cache_dir() {
    printf '%s\n' "${TAGCACHE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tagcache}"
}

# jobs: how many processes a build may use.
jobs_wanted() {
    printf '%s\n' "${TAGCACHE_JOBS:-$(nproc)}"
}

# find_php FLAVOUR: sets PHP, PHP_CONFIG, PHP_API, PHP_RUN_TESTS and LIBPHP (mod_php, where that PHP
# has one), and exports what ext-php-rs chooses by. `nts` is Debian's; for the others see
# scripts/build-php.sh.
find_php() {
    local flavour="$1" prefix
    if [ "$flavour" = nts ]; then
        PHP="${TAGCACHE_PHP_NTS:-/usr/bin/php8.2}"
        PHP_CONFIG="${TAGCACHE_PHP_CONFIG_NTS:-/usr/bin/php-config8.2}"
        LIBPHP=
    else
        prefix="$("$ROOT/scripts/build-php.sh" --path "$flavour")" ||
            die "no PHP '$flavour' here: nts is Debian's, scripts/build-php.sh makes the others"
        PHP="$prefix/bin/php"
        PHP_CONFIG="$prefix/bin/php-config"
        LIBPHP="$prefix/lib/libphp.so"
    fi
    [ -x "$PHP" ] || die "no PHP at $PHP: run 'make setup'"
    [ -x "$PHP_CONFIG" ] || die "no php-config at $PHP_CONFIG: run 'make setup'"
    # Debian's directory is the API number, PHP's own ends with it: no-debug-zts-20240924.
    PHP_API="$(basename "$("$PHP_CONFIG" --extension-dir)")"
    PHP_API="${PHP_API##*-}"
    if [ "$flavour" = nts ]; then
        PHP_RUN_TESTS="/usr/lib/php/$PHP_API/build/run-tests.php"
    else
        PHP_RUN_TESTS="$prefix/lib/php/build/run-tests.php"
    fi
    export PHP PHP_CONFIG PHP_API PHP_RUN_TESTS LIBPHP
}

# find_serializers: the directory of igbinary.so and msgpack.so for the PHP that find_php chose.
find_serializers() {
    local dir name
    dir="$("$PHP_CONFIG" --extension-dir)"
    for name in igbinary msgpack; do
        [ -f "$dir/$name.so" ] || die "no $dir/$name.so: run 'make setup'"
    done
    printf '%s\n' "$dir"
}

# ext_target_dir FLAVOUR: the target directory of the extension for the PHP that find_php chose.
ext_target_dir() {
    printf '%s/target/php-%s-%s\n' "$ROOT" "$PHP_API" "$1"
}

# free_port: a TCP port of 127.0.0.1 that nobody listens on just now.
free_port() {
    local php="${PHP:-php}"
    # shellcheck disable=SC2016 # PHP's variables
    "$php" -n -r '
        $s = stream_socket_server("tcp://127.0.0.1:0") or exit(1);
        echo substr(strrchr(stream_socket_get_name($s, false), ":"), 1), "\n";'
}

# start_tagcached BINARY DIR: starts a tagcached on a port that the system picks, with its output
# in DIR/tagcached.log. Sets TAGCACHED_PID and TAGCACHED_PORT; the caller calls stop_tagcached.
start_tagcached() {
    local binary="$1" dir="$2" i
    [ -x "$binary" ] || die "no $binary: run 'make build'"
    rm -f "$dir/tagcached.port"
    "$binary" --listen 127.0.0.1:0 --port-file "$dir/tagcached.port" >"$dir/tagcached.log" 2>&1 &
    TAGCACHED_PID=$!
    for ((i = 0; i < 100; i++)); do
        if [ -s "$dir/tagcached.port" ]; then
            TAGCACHED_PORT="$(tr -d '[:space:]' <"$dir/tagcached.port")"
            export TAGCACHED_PORT
            return 0
        fi
        kill -0 "$TAGCACHED_PID" 2>/dev/null || break
        sleep 0.05
    done
    cat "$dir/tagcached.log" >&2
    stop_tagcached
    die "tagcached did not start within 5 s"
}

# stop_tagcached: stops the one that start_tagcached started, by its pid; twice is harmless.
stop_tagcached() {
    [ -n "${TAGCACHED_PID:-}" ] || return 0
    kill "$TAGCACHED_PID" 2>/dev/null || true
    wait "$TAGCACHED_PID" 2>/dev/null || true
    TAGCACHED_PID=
}

# parse_profile [--profile NAME]: sets PROFILE (default release).
parse_profile() {
    PROFILE=release
    while [ "$#" -gt 0 ]; do
        case "$1" in
        --profile)
            PROFILE="${2:-}"
            shift 2 || die "--profile wants release or quick"
            ;;
        *) die "unknown argument '$1'; known: --profile release|quick" ;;
        esac
    done
    case "$PROFILE" in
    release | quick) ;;
    *) die "no profile '$PROFILE'; known: release, quick" ;;
    esac
}

# forget_other_php: a PHP that was upgraded in place has the same paths, and cargo would not
# rebuild the bindings that were generated from the old headers.
forget_other_php() {
    local stamp="$CARGO_TARGET_DIR/php-version" version
    version="$("$PHP_CONFIG" --version)"
    mkdir -p "$CARGO_TARGET_DIR"
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" != "$version" ]; then
        say "PHP changed from $(cat "$stamp") to $version: generating its bindings anew"
        cargo clean "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" --package ext-php-rs --package tagcache
    fi
    printf '%s\n' "$version" >"$stamp"
}
