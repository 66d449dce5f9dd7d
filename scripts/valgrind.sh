#!/usr/bin/env bash
# Memcheck over the core of the phpt suite, on PHP's command line: no error and nothing definitely
# lost whose stack goes through our object. What PHP itself does is not judged.
#
#   scripts/valgrind.sh [nts|zts] [PATH...]      (default: zts, CORE below)
#
# PHP's own allocator is off (USE_ZEND_ALLOC=0), so that each zval and string is a block that
# valgrind knows. The processes that the tests start themselves run without valgrind. Some tests
# measure time or count descriptors and can't hold under valgrind: whether a test passes is not
# judged here, only what memcheck says of it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Not in it: what moves megabytes or hundreds of thousands of keys, and what measures time.
readonly CORE=(
    basic keys tags lifecycle types/types_00[1-57-9]_*.phpt types/types_01[0-5]_*.phpt
    fatal/fatal_00[1-4]_*.phpt pipeline/pipeline_00[1-9]_*.phpt async/async_00[1-69]_*.phpt
    bulk/bulk_00[136]_*.phpt functions/functions_001_*.phpt errors/errors_00[1-3]_*.phpt
    remember/remember_00[1245]_*.phpt fibers/fibers_001_*.phpt values/values_026_*.phpt
    session/session_010_*.phpt
)
need valgrind
FLAVOUR=zts
case "${1:-}" in
nts | zts)
    FLAVOUR="$1"
    shift
    ;;
esac
find_php "$FLAVOUR"
EXTENSION="$("$ROOT/scripts/build-ext.sh" "$FLAVOUR" --profile quick)"
BINARIES="$("$ROOT/scripts/build-server.sh")"
SERIALIZERS="$(find_serializers)"
TESTS=()
for path in "$@"; do
    TESTS+=("$(realpath "$path")")
done
if [ "$#" = 0 ]; then
    for path in "${CORE[@]}"; do
        mapfile -t found < <(compgen -G "$ROOT/tests/$path" || true)
        TESTS+=("${found[@]}")
    done
fi

WORK="$(mktemp -d)"
trap 'stop_tagcached; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
# What run-tests.php takes for PHP. It asks PHP about itself as well: only tests are worth valgrind.
cat >"$WORK/php" <<END
#!/bin/sh
case "\$*" in
*.phpt* | */tests/*.php* | */tests/fibers/*.inc*)
    exec valgrind --quiet --tool=memcheck --xml=yes --xml-file="$WORK/%p.xml" --num-callers=40 \\
        --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=none \\
        --child-silent-after-fork=yes "$PHP" "\$@" ;;
*) exec "$PHP" "\$@" ;;
esac
END
chmod +x "$WORK/php"
# Cycles that are left at the end of a script PHP does not collect, it drops its heap: collect them,
# else each is a block definitely lost.
cat >"$WORK/end.php" <<'END'
<?php
foreach (array_keys(get_defined_vars()) as $name) {
    unset($$name);
}
gc_collect_cycles();
END
# run-tests.php's workers make these folders, and fail where another has just made one.
(cd "$ROOT" && find tests -type d -exec mkdir -p "$WORK/tree/{}" \;)
start_tagcached "$BINARIES/tagcached" "$WORK"
export TAGCACHE_TEST_ADDR="127.0.0.1:$TAGCACHED_PORT" TAGCACHE_TEST_SERVER=own
export TAGCACHED_BIN="$BINARIES/tagcached" TAGCACHE_FAULT_BIN="$BINARIES/tagcached-fault"
say "memcheck over $(find "${TESTS[@]}" -name '*.phpt' | wc -l) tests on PHP $("$PHP_CONFIG" --version) $FLAVOUR"
(
    cd "$ROOT"
    export NO_INTERACTION=1 TEST_PHP_EXECUTABLE="$WORK/php" USE_ZEND_ALLOC=0 ZEND_DONT_UNLOAD_MODULES=1
    unset TEST_PHP_ARGS TEST_PHP_CGI_EXECUTABLE
    exec "$PHP" -n -d variables_order=EGPCS "$PHP_RUN_TESTS" -n -q "-j$(nproc)" --no-progress \
        --no-color --offline --set-timeout 300 --no-clean --temp-source "$ROOT" \
        --temp-target "$WORK/tree" -d "extension=$SERIALIZERS/igbinary.so" \
        -d "extension=$SERIALIZERS/msgpack.so" -d "extension=$EXTENSION" \
        -d "auto_append_file=$WORK/end.php" -W "$WORK/results" "${TESTS[@]}"
) </dev/null >"$WORK/output" 2>&1 || true
grep -E '^(FAIL|BORK|LEAK)' "$WORK/output" | sed 's/^/note: /' >&2 || true
# Debian's PHP has no DOM without its configuration.
"$("$ROOT/scripts/build-php.sh" --path zts)/bin/php" -n "$ROOT/scripts/valgrind-verdict.php" memcheck libtagcache.so "$WORK"/*.xml
