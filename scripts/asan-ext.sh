#!/usr/bin/env bash
# AddressSanitizer over the extension: our object is built with it, PHP is not, so every access of
# ours is checked, and every block that PHP or we allocate (USE_ZEND_ALLOC=0) has its red zones. PHP keeps
# a list of its blocks (USE_TRACKED_ALLOC=1): memory_limit holds, and the end of a request frees what a
# script that died has left.
#
#   scripts/asan-ext.sh [PATH...]      .phpt files or directories (default: CORE below)
#
# rustc's own runtime of the sanitizer is made a library that is loaded before everything else. A
# planted fault is run first, and has to be reported.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly CORE=(
    basic keys tags types bulk errors functions lifecycle options pipeline async remember session
    values fatal fibers pool metrics slowlog
)
readonly TARGET=x86_64-unknown-linux-gnu
find_php zts
need cargo rustc cc ar
DIR="$(ext_target_dir zts)-asan"
mkdir -p "$DIR"

# The runtime: rustc links it into programs only.
runtime() {
    local archive
    archive="$(find "$(rustc --print sysroot)/lib/rustlib/$TARGET/lib" -name 'librustc*_rt.asan.a' | head -n 1)"
    [ -n "$archive" ] || die "this rustc has no runtime of AddressSanitizer for $TARGET"
    cp "$archive" "$DIR/runtime.a"
    # What only a program may have: it would start the runtime before its constructors.
    ar d "$DIR/runtime.a" asan_preinit.cpp.o
    cc -shared -o "$DIR/libasan-runtime.so" -Wl,--whole-archive "$DIR/runtime.a" -Wl,--no-whole-archive \
        -lpthread -ldl -lm -lrt
}

# PHP loads extensions with RTLD_DEEPBIND, which would give them the C library's own malloc.
shim() {
    cat >"$DIR/shim.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
void *dlopen(const char *file, int flags) {
    void *(*next)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
    return next(file, flags & ~RTLD_DEEPBIND);
}
END
    cc -shared -fPIC -o "$DIR/libshim.so" "$DIR/shim.c"
}

build() {
    CARGO_TARGET_DIR="$DIR" RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS="-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer" \
        cargo build "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" --profile quick \
        --package tagcache --target "$TARGET" -j "$(jobs_wanted)" >&2
}

say "building the extension for PHP $("$PHP_CONFIG" --version) zts with AddressSanitizer"
runtime
shim
build
EXTENSION="$DIR/$TARGET/quick/libtagcache.so"
BINARIES="$("$ROOT/scripts/build-server.sh")"
SERIALIZERS="$(find_serializers)"
TESTS=()
for path in "$@"; do
    TESTS+=("$(realpath "$path")")
done
if [ "$#" = 0 ]; then
    for path in "${CORE[@]}"; do
        if compgen -G "$ROOT/tests/$path/*.phpt" >/dev/null; then
            TESTS+=("$ROOT/tests/$path")
        fi
    done
fi

WORK="$(mktemp -d)"
trap 'stop_tagcached; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
cat >"$WORK/php" <<END
#!/bin/sh
export LD_PRELOAD="$DIR/libshim.so:$DIR/libasan-runtime.so" USE_ZEND_ALLOC=0 USE_TRACKED_ALLOC=1 ZEND_DONT_UNLOAD_MODULES=1
export ASAN_OPTIONS="detect_leaks=0:log_path=$WORK/asan:verify_asan_link_order=0"
# Blocks that were freed are kept back, by default 256 MB of them. These look at the size of their process.
case "\$*" in
*lifecycle_011_* | */fibers/leak.inc*) ASAN_OPTIONS="\$ASAN_OPTIONS:quarantine_size_mb=8" ;;
esac
exec "$PHP" "\$@"
END
chmod +x "$WORK/php"

# A write behind a block of PHP's, by our compiler with our flags: it must be reported.
cat >"$WORK/planted.rs" <<'END'
//! Writes behind a block of the C library, through a library that PHP would load.
#[unsafe(no_mangle)]
pub extern "C" fn planted(block: *mut u8, at: usize) {
    // SAFETY: none, on purpose.
    unsafe { block.add(at).write_volatile(1) };
}
END
cat >"$WORK/main.c" <<'END'
#include <stdlib.h>
void planted(unsigned char *block, size_t at);
int main(void) {
    unsigned char *block = malloc(16);
    planted(block, 16);
    free(block);
    return 0;
}
END
RUSTC_BOOTSTRAP=1 rustc --edition 2024 --crate-type cdylib --target "$TARGET" -Zsanitizer=address \
    -Cunsafe-allow-abi-mismatch=sanitizer -o "$WORK/libplanted.so" "$WORK/planted.rs"
cc -o "$WORK/planted" "$WORK/main.c" -L"$WORK" -lplanted -Wl,-rpath,"$WORK" \
    -Wl,--unresolved-symbols=ignore-in-shared-libs
if LD_PRELOAD="$DIR/libasan-runtime.so" "$WORK/planted" >"$WORK/planted.out" 2>&1 ||
    ! grep -q 'heap-buffer-overflow' "$WORK/planted.out"; then
    cat "$WORK/planted.out" >&2
    die "AddressSanitizer did not report the planted overflow"
fi
say "the planted overflow was reported"

start_tagcached "$BINARIES/tagcached" "$WORK"
export TAGCACHE_TEST_ADDR="127.0.0.1:$TAGCACHED_PORT" TAGCACHE_TEST_SERVER=own
export TAGCACHED_BIN="$BINARIES/tagcached" TAGCACHE_FAULT_BIN="$BINARIES/tagcached-fault"
(
    cd "$ROOT"
    export NO_INTERACTION=1 TEST_PHP_EXECUTABLE="$WORK/php"
    unset TEST_PHP_ARGS TEST_PHP_CGI_EXECUTABLE
    exec "$PHP" -n -d variables_order=EGPCS "$PHP_RUN_TESTS" -n -q "-j$(nproc)" --no-progress \
        --no-color --offline --show-diff --set-timeout 300 --temp-source "$ROOT" --temp-target "$WORK/tree" \
        -d "extension=$SERIALIZERS/igbinary.so" -d "extension=$SERIALIZERS/msgpack.so" \
        -d "extension=$EXTENSION" -W "$WORK/results" "${TESTS[@]}"
) </dev/null >"$WORK/output" 2>&1 || true
grep -E '^((FAIL|BORK|LEAK) |[0-9]+\+ )' "$WORK/output" | sed 's/^/note: /' >&2 || true
# That it does not know the stacks of Fibers is a warning, in a file of its own like the reports.
mapfile -t REPORTED < <(grep -l 'ERROR: AddressSanitizer' "$WORK"/asan.* 2>/dev/null || true)
REPORTS="${#REPORTED[@]}"
PASSED="$(grep -c '^PASSED' "$WORK/results" || true)"
[ "$REPORTS" = 0 ] || head -n 40 "${REPORTED[@]}" | head -n 200
printf 'asan-ext: %d tests passed, %d reports\n' "$PASSED" "$REPORTS"
[ "$REPORTS" = 0 ] && [ "$PASSED" -gt 0 ]
