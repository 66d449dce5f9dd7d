#!/usr/bin/env bash
# Builds tagcached and tagcached-fault; prints the directory that holds them.
#
#   scripts/build-server.sh [--profile release|quick]
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

parse_profile "$@"
need cargo
say "building tagcached ($PROFILE)"
CARGO_TARGET_DIR="$ROOT/target" cargo build "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" \
    --profile "$PROFILE" --package tagcached --bins -j "$(jobs_wanted)" >&2
printf '%s\n' "$ROOT/target/$PROFILE"
