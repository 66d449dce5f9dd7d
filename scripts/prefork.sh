#!/usr/bin/env bash
# Processes that were forked: prefork Apache with an NTS PHP (Debian's mod_php), and pcntl children.
#
#   scripts/prefork.sh [SECONDS] [--profile release|quick]      (default 15)
#
# Apache's parent uses the cache before it forks (opcache.preload), so that each of 8 children
# inherits a pool with an idle connection. Then load, while children are replaced. Each request
# checks every byte that comes back; meanwhile no connection to the server may be open in two
# processes, and the parent's stays its own. After that the phpt tests of tests/fork.
#
# mod_php is taken out of Debian's package, which is fetched but not installed: its scripts would
# enable it in the machine's own Apache. Environment: TAGCACHE_LIBPHP_NTS, a libphp8.2.so to use.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apache-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/apache-lib.sh"
# shellcheck source=scripts/apt-source.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt-source.sh"

SPAN=15
case "${1:-}" in
'' | --*) ;;
*)
    SPAN="$1"
    shift
    ;;
esac
[ "$SPAN" -ge 5 ] 2>/dev/null || die "SECONDS must be a number, 5 or more; got '$SPAN'"
need wrk curl
find_php nts
EXTENSION="$("$ROOT/scripts/build-ext.sh" nts "$@")"
BINARIES="$("$ROOT/scripts/build-server.sh")"
readonly CLIENTS=8
export LOAD_CHILDREN=8
WRK_PID=
SHARED=0 LOOKS=0

# libphp: prints the path of Debian's mod_php for the PHP that find_php chose.
libphp() {
    local version cached work
    if [ -n "${TAGCACHE_LIBPHP_NTS:-}" ]; then
        printf '%s\n' "$TAGCACHE_LIBPHP_NTS"
        return 0
    fi
    version="$(dpkg-query -W -f '${Version}' php8.2-cli)"
    cached="$(cache_dir)/libphp8.2-$version.so"
    if [ ! -f "$cached" ]; then
        say "fetching Debian's mod_php"
        work="$(mktemp -d)"
        mkdir -p "$(cache_dir)"
        download_packages "$work" libapache2-mod-php8.2 ||
            die "no mod_php: $(refused). Run 'apt-get update', or give TAGCACHE_LIBPHP_NTS"
        dpkg-deb -x "$work"/*.deb "$work/tree"
        mv "$work/tree/usr/lib/apache2/modules/libphp8.2.so" "$cached.new"
        mv "$cached.new" "$cached"
        rm -rf "$work"
    fi
    printf '%s\n' "$cached"
}

clean_up() {
    local status=$?
    [ -z "$WRK_PID" ] || kill "$WRK_PID" 2>/dev/null || true
    apache_stop
    stop_tagcached
    rm -rf "$LOAD_DIR"
    exit "$status"
}

# sockets_of PID...: "inode pid" of every connection to the server that those processes hold.
sockets_of() {
    local pid port
    port="$(printf ':%04X' "$TAGCACHED_PORT")"
    for pid in "$@"; do
        find "/proc/$pid/fd" -lname 'socket:*' -printf '%l '"$pid"'\n' 2>/dev/null || true
    done | tr -d ']' | sed 's/socket:\[//' | awk -v port="$port" '
        FILENAME != "-" { if (substr($3, length($3) - 4) == port) ours[$10] = 1; next }
        $1 in ours' /proc/net/tcp -
}

# Notes every connection that two processes hold.
look() {
    local sockets
    # shellcheck disable=SC2046 # a list of numbers
    sockets="$(sockets_of "$LOAD_APACHE_PID" $(apache_children))"
    LOOKS=$((LOOKS + 1))
    printf '%s\n' "$sockets" >"$LOAD_DIR/sockets.txt"
    cut -d ' ' -f 2 <<<"$sockets" >>"$LOAD_DIR/holders.txt"
    # Every child has inherited the descriptor of the parent's own, which it must leave alone.
    SHARED=$((SHARED + $(grep -v " $LOAD_APACHE_PID\$" <<<"$sockets" | cut -d ' ' -f 1 | sort | uniq -d | grep -vcxF "$PARENTS" || true)))
}

row() {
    printf '%-34s%s\n' "$1" "$2"
}

judge() {
    local crashes holders
    crashes="$(apache_crashes)"
    holders="$(sort -u "$LOAD_DIR/holders.txt" | grep -c .)"
    row 'seconds of load' "$SPAN"
    row requests "$(counted requests) ($(counted per_second) a second)"
    row 'wrong answers' "$(counted wrong) ($(wc -l <"$LOAD_DIR/wrong.txt") noted by the pages)"
    row '5xx, other than ok' "$(counted server_errors), $(counted others)"
    row crashes "$crashes"
    row 'processes with a connection' "$holders"
    row 'connections used by two' "$SHARED (in $LOOKS looks)"
    row "the parent's connection" "$KEPT"
    [ "$(counted ok)" -gt 0 ] || FAILURES+=("no good answer")
    [ "$holders" -gt $((LOAD_CHILDREN + 2)) ] ||
        FAILURES+=("only $holders processes had a connection: no child was replaced")
    must 'wrong answers' "$(counted wrong) $(wc -l <"$LOAD_DIR/wrong.txt")" '0 0'
    must 'answers that are not ok' "$(counted server_errors) $(counted others)" '0 0'
    must crashes "$crashes" 0
    must 'connections used by two' "$SHARED" 0
    must "the parent's connection" "$KEPT" 'still its own'
    # The first page that a child answered: it opened nothing, so it must have had nothing.
    must 'connections that a child inherited' "$(json_of before.json pool opened)" 0
    if [ "${#FAILURES[@]}" -gt 0 ]; then
        sed -n 's/^sample=/an answer: /p' "$LOAD_DIR/wrk.out" | head -n 5 >&2
        head -n 5 "$LOAD_DIR/wrong.txt" >&2
        tail -n 20 "$LOAD_DIR/error.log" >&2
        printf 'prefork: FAILED:'
        printf ' %s;' "${FAILURES[@]}"
        printf '\n'
        return 1
    fi
    printf 'prefork: passed\n'
}

LIBPHP="$(libphp)"
apache_prepare "$LIBPHP" "$EXTENSION"
cp "$LIBPHP" "$LOAD_DIR/libphp.so"
LOAD_LIBPHP="$LOAD_DIR/libphp.so"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
start_tagcached "$BINARIES/tagcached" "$LOAD_DIR"
apache_settings "['port' => $TAGCACHED_PORT, 'pool_size' => 2, 'wrong_file' => '$LOAD_DIR/wrong.txt']"
cat >>"$LOAD_DIR/php.ini" <<END
zend_extension=opcache
opcache.preload=$LOAD_DIR/htdocs/preload.php
END
# For root, PHP preloads in a process of its own: all of this Apache runs as somebody else.
if [ "$(id -u)" = 0 ]; then
    chown -R www-data: "$LOAD_DIR"
    APACHE_UNDER=(setpriv --reuid=www-data --regid=www-data --clear-groups)
fi
printf 'MaxConnectionsPerChild 10\nMaxKeepAliveRequests 25\n' >"$LOAD_DIR/child.conf"
apache_start -D FOREGROUND -D Deep -D Prefork
PARENTS="$(sockets_of "$LOAD_APACHE_PID" | cut -d ' ' -f 1)"
[ -n "$PARENTS" ] || die "Apache's parent has no connection: opcache.preload did not run in it"
say "Apache prefork with PHP $("$PHP_CONFIG" --version) NTS: $LOAD_CHILDREN children, $SPAN s"
wrk --threads 2 --connections "$CLIENTS" --duration "${SPAN}s" --timeout 30s \
    --script "$ROOT/tests/apache/load.lua" "http://127.0.0.1:$LOAD_PORT/load.php" \
    >"$LOAD_DIR/wrk.out" 2>&1 &
WRK_PID=$!
while kill -0 "$WRK_PID" 2>/dev/null; do
    look
    sleep 0.3
done
wait "$WRK_PID" || {
    cat "$LOAD_DIR/wrk.out" >&2
    die "wrk failed"
}
WRK_PID=
KEPT=lost
[ "$(sockets_of "$LOAD_APACHE_PID" | cut -d ' ' -f 1)" != "$PARENTS" ] || KEPT='still its own'
judge
apache_stop
if compgen -G "$ROOT/tests/fork/*.phpt" >/dev/null; then
    "$ROOT/scripts/phpt.sh" nts "$@" "$ROOT/tests/fork"
fi
