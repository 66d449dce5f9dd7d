#!/usr/bin/env bash
# Looks at php/examples/status.php in a headless Chromium, after some traffic: the page must show the
# pools, a finding and the last errors without a line of script, on a light ground and on a dark one.
#
#   scripts/status-page.sh [--picture] [--profile release|quick]
#
# With --picture it is kept as docs/status.png.
#
# The last line is "status-page: passed ..." or "status-page: FAILED ...".
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly MOST_BYTES=300000
PICTURE=
if [ "${1:-}" = --picture ]; then
    PICTURE="$ROOT/docs/status.png"
    shift
fi
find_php nts
need chromium curl
EXTENSION="$("$ROOT/scripts/build-ext.sh" nts "$@")"
BINARIES="$("$ROOT/scripts/build-server.sh")"
WORK="$(mktemp -d)"
WEB_PID=
stop() {
    [ -z "$WEB_PID" ] || kill "$WEB_PID" 2>/dev/null || true
    stop_tagcached
    rm -rf "$WORK"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP
start_tagcached "$BINARIES/tagcached" "$WORK"

mkdir "$WORK/pages"
cp "$ROOT/php/examples/status.php" "$WORK/pages/"
cat >"$WORK/pages/traffic.php" <<'END'
<?php
$cache = new TagCache;
for ($n = 0; $n < 3000; $n++) {
    $cache->set("user:$n", str_repeat('x', 10 + 7 * $n % 4000), ['users', 'team:' . $n % 7], 60_000);
    $cache->get('user:' . $n * 17 % 3000);
}
for ($n = 0; $n < 20; $n++) {
    $cache->mGet(array_map(fn ($n) => "user:$n", range(0, 999)));
    $cache->keysByTag('users');
}
try {
    (new TagCache(['port' => 1, 'timeout_ms' => 500]))->get('a');
} catch (TagCache\ConnectionException) {
    echo "done\n";
}
END
WEB_PORT="$(free_port)"
"$PHP" -n -d "extension=$EXTENSION" -d "tagcache.port=$TAGCACHED_PORT" -d tagcache.slow_log_ms=100 \
    -S "127.0.0.1:$WEB_PORT" -t "$WORK/pages" >"$WORK/web.log" 2>&1 &
WEB_PID=$!
page() {
    curl -fsS --max-time 30 --retry 20 --retry-connrefused --retry-delay 0 "http://127.0.0.1:$WEB_PORT/$1"
}
[ "$(page traffic.php)" = "done" ] || die "the traffic failed: $(cat "$WORK/web.log")"

# A profile of its own, and no talk with anybody.
browse() {
    timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --hide-scrollbars --user-data-dir="$WORK/profile" "$@" \
        "http://127.0.0.1:$WEB_PORT/status.php" 2>"$WORK/chromium.log"
}
browse --dump-dom >"$WORK/dom.html" || die "chromium failed: $(tail -n 5 "$WORK/chromium.log")"
FAILED=0
expect() {
    if ! grep -Eq "$2" "$WORK/dom.html"; then
        say "error: the page does not show $1"
        FAILED=1
    fi
}
expect "its title" '<title>TagCache: needs attention</title>'
expect "the server" "<h3>127\.0\.0\.1:$TAGCACHED_PORT "
expect "the finding" '<div class="finding error">'
expect "the last error" '<td>127\.0\.0\.1:1|<td>.*127\.0\.0\.1:1[^0-9]'
expect "a histogram with bars" '<i style="height:100%"></i>'
expect "the settings" '<td>tagcache\.slow_log_ms</td><td>100</td>'
expect "its end" '</html>'
if grep -q '<script' "$WORK/dom.html"; then
    say "error: there is a script in the page"
    FAILED=1
fi

# ground PICTURE: how bright its first pixel is, 0 to 255.
ground() {
    # The bytes of the first pixel are its colour, whatever the filter of the line: there is nothing
    # before it.
    # shellcheck disable=SC2016 # PHP's variables
    "$PHP" -n -r '
        $png = file_get_contents($argv[1]);
        for ($at = 8, $data = ""; $at < strlen($png); $at += 12 + $size) {
            $size = unpack("N", $png, $at)[1];
            $data .= substr($png, $at + 4, 4) === "IDAT" ? substr($png, $at + 8, $size) : "";
        }
        echo ord(gzuncompress($data)[1]);' -- "$1"
}
# look NAME SETTING LEAST MOST: takes a picture and judges it.
look() {
    local picture="$WORK/$1.png" size bright
    browse --window-size=1000,2020 --blink-settings="preferredColorScheme=$2" \
        --screenshot="$picture" >/dev/null || FAILED=1
    size="$(stat -c %s "$picture" 2>/dev/null || echo 0)"
    if [ "$size" -lt 10000 ] || [ "$size" -gt "$MOST_BYTES" ]; then
        say "error: the $1 picture has $size bytes"
        FAILED=1
        return
    fi
    bright="$(ground "$picture")"
    if [ "$bright" -lt "$3" ] || [ "$bright" -gt "$4" ]; then
        say "error: the ground of the $1 picture has the brightness $bright"
        FAILED=1
    fi
}
look light 1 200 255
look dark 0 0 60
if [ "$FAILED" = 0 ]; then
    [ -z "$PICTURE" ] || cp "$WORK/light.png" "$PICTURE"
    printf 'status-page: passed, pictures of %s and %s bytes\n' "$(stat -c %s "$WORK/light.png")" \
        "$(stat -c %s "$WORK/dark.png")"
else
    cp "$WORK/dom.html" "${TMPDIR:-/tmp}/status-dom.html"
    printf 'status-page: FAILED (what the browser saw: %s)\n' "${TMPDIR:-/tmp}/status-dom.html"
    exit 1
fi
