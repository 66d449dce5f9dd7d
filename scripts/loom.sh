#!/usr/bin/env bash
# Runs the gate's loom models: every interleaving of two and three threads, under the memory model.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom" RUSTFLAGS="--cfg loom ${RUSTFLAGS:-}"
# Optimised, with the assertions of a debug build.
export CARGO_PROFILE_QUICK_DEBUG_ASSERTIONS=true
exec cargo test --profile quick -p tagcache-client --lib models "$@"
