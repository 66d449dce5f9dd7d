#!/usr/bin/env bash
# Runs the whole pool, with fake connections, under shuttle: random interleavings of up to eight threads.
# TAGCACHE_DEEP=1 draws ten times as many.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/shuttle" RUSTFLAGS="--cfg shuttle ${RUSTFLAGS:-}"
# Optimised, with the assertions of a debug build.
export CARGO_PROFILE_QUICK_DEBUG_ASSERTIONS=true
exec cargo test --profile quick -p tagcache-client --lib shuttle_test "$@"
