#!/usr/bin/env bash
# Everything that must hold before a change goes in, in stages; what each one did is kept in
# target/test-logs/. Ends with the time of each stage and the line
#   tests: N passed, N failed, N skipped
# and fails if any stage failed. A stage that others build upon ends the run when it fails.
#
#   scripts/test.sh             all stages
#   scripts/test.sh STAGE...    only these (names as in the table at the end)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LOGS="$ROOT/target/test-logs"
ONLY=("$@")
ROWS=()
FAILED_STAGES=()
PASSED=0 FAILED=0 SKIPPED=0
BEGAN="$(date +%s)"

# stage NAME must|may COMMAND...: runs one stage; after a failed `must` nothing else runs.
stage() {
    local name="$1" weight="$2" began status=0
    shift 2
    wanted "$name" || return 0
    began="$(date +%s)"
    say "== $name"
    "$@" 2>&1 </dev/null | tee "$LOGS/$name.log" || status=$?
    count "$LOGS/$name.log"
    if [ "$status" = 0 ]; then
        ROWS+=("$(printf '%-16s ok      %s' "$name" "$(duration $(($(date +%s) - began)))")")
        return 0
    fi
    ROWS+=("$(printf '%-16s FAILED  %s' "$name" "$(duration $(($(date +%s) - began)))")")
    FAILED_STAGES+=("$name")
    say "stage $name FAILED (exit code $status)"
    if [ "$weight" = must ]; then
        summary
        exit 1
    fi
}

wanted() {
    local name
    [ "${#ONLY[@]}" -gt 0 ] || return 0
    for name in "${ONLY[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

# count LOG: adds the figures of cargo test's, phpt.sh's and apache-load.sh's closing lines.
count() {
    local passed failed skipped
    read -r passed failed skipped < <(awk '
        /^test result: / { passed += $4; failed += $6; skipped += $8 }
        /^(phpt|frameworks) [nz]ts: / { passed += $3; failed += $5; skipped += $7 }
        /^packaging: / { passed += $2; failed += $4; skipped += $6 }
        /^(apache-[a-z]+|status-page): passed/ { passed++ }
        /^(apache-[a-z]+|status-page): FAILED/ { failed++ }
        END { print passed + 0, failed + 0, skipped + 0 }' "$1")
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
}

summary() {
    printf '\n%s\n' "stage            result  time"
    printf '%s\n' "${ROWS[@]}"
    printf 'total time: %s\n' "$(duration $(($(date +%s) - BEGAN)))"
    if [ "${#FAILED_STAGES[@]}" -gt 0 ]; then
        printf 'FAILED stages: %s (logs in %s)\n' "${FAILED_STAGES[*]}" "$LOGS"
    fi
    printf 'tests: %d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
}

# Unoptimised, with overflow checks and debug assertions on: what a test build is for, and the
# quickest to build.
crate_tests() {
    CARGO_TARGET_DIR="$ROOT/target" cargo test "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" \
        --package tagcache-client --package tagcached -j "$(jobs_wanted)" --no-fail-fast
}

mkdir -p "$LOGS"
say "make test: about 20 minutes on 2 cores the first time (7 of them for the ZTS PHP), then about 10"
cd "$ROOT"
stage setup must scripts/setup.sh
stage php-zts must scripts/build-php.sh
stage fmt may scripts/check.sh fmt
stage shell may scripts/check.sh shell
stage safety may scripts/check-safety.sh
stage mutants-apply may scripts/check.sh mutants
stage clippy may scripts/check.sh clippy
stage clippy-nts may scripts/check.sh clippy-ext nts
stage clippy-zts may scripts/check.sh clippy-ext zts
stage crates may crate_tests
stage loom may scripts/loom.sh
stage fuzz may scripts/fuzz.sh 60
stage server must scripts/build-server.sh
stage ext-nts must scripts/build-ext.sh nts
stage ext-zts must scripts/build-ext.sh zts
stage phpt-nts may scripts/phpt.sh nts
stage phpt-zts may scripts/phpt.sh zts
stage frameworks-nts may scripts/frameworks.sh nts
stage frameworks-zts may scripts/frameworks.sh zts
stage packaging may scripts/packaging-test.sh
stage status-page may scripts/status-page.sh
stage apache may scripts/apache-load.sh
stage apache-deep may scripts/apache-deep.sh 20
stage apache-remember may scripts/apache-remember.sh

[ "${#ROWS[@]}" -gt 0 ] || die "no such stage: ${ONLY[*]}"
summary
[ "${#FAILED_STAGES[@]}" = 0 ] && [ "$FAILED" = 0 ]
