#!/usr/bin/env bash
# The checks that run no test.
#
#   scripts/check.sh fmt           cargo fmt --check over the workspace
#   scripts/check.sh clippy        clippy over the crates, warnings are errors
#   scripts/check.sh clippy-ext FLAVOUR    the same over the extension, for one PHP
#   scripts/check.sh shell         shellcheck over every shell script, whatever its name
#   scripts/check.sh mutants       that the patches of ci/mutants/ still apply (scripts/mutants.sh runs them)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check_fmt() {
    need cargo
    (cd "$ROOT" && cargo fmt --all --check)
}

check_clippy() {
    need cargo
    CARGO_TARGET_DIR="$ROOT/target" cargo clippy "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" \
        --package tagcache-client --package tagcached --all-targets -j "$(jobs_wanted)" \
        -- -D warnings
}

# In the release profile, so that the build of the binding's generator is shared with the build of
# the extension itself.
check_clippy_ext() {
    need cargo
    find_php "$1"
    CARGO_TARGET_DIR="$(ext_target_dir "$1")"
    export CARGO_TARGET_DIR
    forget_other_php
    cargo clippy "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" --package tagcache --release \
        -j "$(jobs_wanted)" -- -D warnings
}

check_shell() {
    local scripts
    need shellcheck
    cd "$ROOT"
    mapfile -t scripts < <(find . \( -name target -o -name .git \) -prune -o -type f -exec awk '
        FNR == 1 && /^#!.*[ \/](ba)?sh$|^# shellcheck shell=/ { print FILENAME }
        { nextfile }' {} + | sort)
    [ "${#scripts[@]}" -gt 0 ] || die "no shell script found"
    shellcheck --external-sources --source-path=SCRIPTDIR/.. "${scripts[@]}"
}

check_mutants() {
    local patch stale=()
    need patch
    for patch in "$ROOT"/ci/mutants/*.patch; do
        patch --dry-run --silent --force --strip=1 --directory="$ROOT" <"$patch" >/dev/null 2>&1 ||
            stale+=("$(basename "$patch" .patch)")
    done
    [ "${#stale[@]}" = 0 ] || die "mutants that do not apply any more: ${stale[*]}; make them anew"
}

case "${1:-}" in
fmt) check_fmt ;;
clippy) check_clippy ;;
clippy-ext) check_clippy_ext "${2:-}" ;;
shell) check_shell ;;
mutants) check_mutants ;;
*) die "usage: scripts/check.sh fmt|clippy|clippy-ext FLAVOUR|shell|mutants" ;;
esac
