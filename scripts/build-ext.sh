#!/usr/bin/env bash
# Builds the extension for one PHP; prints the path of the shared object.
#
#   scripts/build-ext.sh FLAVOUR [--profile release|quick]
#
# `quick` leaves out the link-time optimisation: for the loop of edit, build, try.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FLAVOUR="${1:-}"
find_php "$FLAVOUR"
parse_profile "${@:2}"
need cargo
CARGO_TARGET_DIR="$(ext_target_dir "$FLAVOUR")"
export CARGO_TARGET_DIR
forget_other_php
say "building the extension for PHP $("$PHP_CONFIG" --version) $FLAVOUR ($PROFILE)"
cargo build "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" --profile "$PROFILE" --package tagcache \
    -j "$(jobs_wanted)" >&2
printf '%s\n' "$CARGO_TARGET_DIR/$PROFILE/libtagcache.so"
