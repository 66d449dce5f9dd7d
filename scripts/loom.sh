#!/usr/bin/env bash
# Runs the gate's loom models: every interleaving of two and three threads, under the memory model.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom" RUSTFLAGS="--cfg loom ${RUSTFLAGS:-}"
exec cargo test --release -p tagcache-client --lib models "$@"
