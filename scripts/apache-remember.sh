#!/usr/bin/env bash
# Sixty-four threads of one Apache process miss the same key at once: remember() must call the
# producer once, and all must get what it made. Before that some requests have died while a Fiber of
# theirs was making it, and must not be waited for.
#
#   scripts/apache-remember.sh [--profile release|quick]
#
# The last line is "apache-remember: passed ..." or "apache-remember: FAILED ...".
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apache-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/apache-lib.sh"

readonly THREADS=64 DYING=8
find_php zts
need curl
EXTENSION="$("$ROOT/scripts/build-ext.sh" zts "$@")"
BINARIES="$("$ROOT/scripts/build-server.sh")"
WORK="$(mktemp -d)"
trap 'apache_stop; stop_tagcached; rm -rf "$WORK" "${LOAD_DIR:-}"' EXIT
trap 'exit 130' INT TERM HUP
start_tagcached "$BINARIES/tagcached" "$WORK"
apache_prepare "$(dirname "$(dirname "$PHP")")/lib/libphp.so" "$EXTENSION"
apache_settings "['port' => $TAGCACHED_PORT, 'pool_size' => 8, 'wrong_file' => '$LOAD_DIR/wrong.txt']"
apache_start -D FOREGROUND

say "$DYING requests that die while they make it"
for ((n = 0; n < DYING; n++)); do
    curl -sS --max-time 60 -o /dev/null "http://127.0.0.1:$LOAD_PORT/remember.php?key=hot&dies=1"
done
START="$(($(date +%s) + 2))"
say "$THREADS requests for one key"
curl -fsS --no-progress-meter --max-time 60 --parallel --parallel-immediate --parallel-max "$THREADS" \
    "http://127.0.0.1:$LOAD_PORT/remember.php?key=hot&start=$START&n=[1-$THREADS]" >"$WORK/answers" || true
# shellcheck disable=SC2016 # the dollar is PHP's
CALLS="$("$PHP" -n -d "extension=$EXTENSION" -r \
    'echo (new TagCache(["port" => (int) $argv[1]]))->get("hot calls") ?? 0;' -- "$TAGCACHED_PORT")"
ANSWERS="$(wc -l <"$WORK/answers")"
VALUES="$(cut -d ' ' -f 2 "$WORK/answers" | sort -u | wc -l)"
CHILDREN="$(cut -d ' ' -f 1 "$WORK/answers" | sort -u | wc -l)"
RESULT="$ANSWERS of $THREADS answers, $VALUES value(s), $CALLS call(s) of the producer, $CHILDREN process(es)"
if [ "$ANSWERS $VALUES $CALLS $CHILDREN" = "$THREADS 1 1 1" ]; then
    printf 'apache-remember: passed, %s\n' "$RESULT"
else
    cat "$LOAD_DIR/error.log" >&2
    printf 'apache-remember: FAILED, %s\n' "$RESULT"
    exit 1
fi
