#!/usr/bin/env bash
# Every checker of the project at full length, with a table of figures at the end: what each part
# counted, as it printed it, and how long it took. Two hours on 2 cores, a quarter of it load. The
# parts that hold calls to their time limits come first, down to helgrind: leave the machine alone
# until they are through.
#
#   scripts/check-deep.sh             all parts
#   scripts/check-deep.sh PART...     only these
#   scripts/check-deep.sh -PART...    all but these
#
# The parts are those of the list at the end. Their output is kept in target/deep-logs/; the table
# goes to target/deep-logs/table.md as well, in the form in which docs/reliability.md has it. Fails
# if a part failed. Environment: TAGCACHE_DEEP_SECONDS (the load through Apache, 1800).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LOGS="$ROOT/target/deep-logs"
LOAD_SECONDS="${TAGCACHE_DEEP_SECONDS:-1800}"
ONLY=() WITHOUT=() KNOWN=() FAILED=()
for argument in "$@"; do
    case "$argument" in
    -*) WITHOUT+=("${argument#-}") ;;
    *) ONLY+=("$argument") ;;
    esac
done
BEGAN="$(date +%s)"

is_in() {
    local wanted="$1" name
    shift
    for name in "$@"; do
        [ "$name" != "$wanted" ] || return 0
    done
    return 1
}

# part NAME PATTERN COMMAND...: runs one part; the lines that match PATTERN are its figures.
part() {
    local name="$1" pattern="$2" began status=0 figures result=ok span
    shift 2
    KNOWN+=("$name")
    [ "${#ONLY[@]}" = 0 ] || is_in "$name" "${ONLY[@]}" || return 0
    [ "${#WITHOUT[@]}" = 0 ] || ! is_in "$name" "${WITHOUT[@]}" || return 0
    began="$(date +%s)"
    say "== $name"
    "$@" >"$LOGS/$name.log" 2>&1 </dev/null || status=$?
    span="$(duration $(($(date +%s) - began)))"
    figures="$(grep -E -- "$pattern" "$LOGS/$name.log" | tr -s ' ' | tr '|' '/' | paste -sd ';' | sed 's/;/; /g' || true)"
    if [ "$status" != 0 ]; then
        result=FAILED
        FAILED+=("$name")
        tail -n 20 "$LOGS/$name.log" >&2
    elif [ -z "$figures" ]; then
        # A part that counted nothing has shown nothing.
        result='FAILED (no figures)'
        FAILED+=("$name")
    fi
    say "$name: $result, $span"
    printf '| %s | %s | %s | %s |\n' "$name" "$result" "$span" "$figures" >>"$LOGS/rows"
}

# phpt FLAVOUR: the whole suite on one PHP, which is built if it is not there. 8.4 can be had only while
# the mirror has its source; the others are of the running release.
phpt() {
    local flavour="$1" prefix
    if [ "$flavour" != nts ]; then
        prefix="$(scripts/build-php.sh "$flavour")" || {
            [ "$flavour" = nts-8.4 ] || return 1
            printf 'phpt %s: that PHP is not to be had\n' "$flavour"
            return 0
        }
        if [ "$flavour" = zts-8.2 ] && [ "$prefix" = "$(scripts/build-php.sh --path zts)" ]; then
            printf 'phpt zts-8.2: the same PHP as zts\n'
            return 0
        fi
    fi
    scripts/phpt.sh "$flavour"
}

crate_tests() {
    TAGCACHE_DEEP=1 CARGO_PROFILE_QUICK_DEBUG_ASSERTIONS=true CARGO_PROFILE_QUICK_OVERFLOW_CHECKS=true \
        CARGO_TARGET_DIR="$ROOT/target/deep" cargo test "${LOCKED[@]}" --profile quick \
        --manifest-path "$ROOT/Cargo.toml" --package tagcache-client -j "$(jobs_wanted)"
}

shuttle() {
    TAGCACHE_DEEP=1 "$ROOT/scripts/shuttle.sh"
}

table() {
    # shellcheck disable=SC2016 # backquotes of Markdown
    printf 'Command `scripts/check-deep.sh%s`, commit %s, %s, in %s.\n' "${ARGUMENTS:+ $ARGUMENTS}" \
        "$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo unknown)" \
        "$(date -u +%Y-%m-%d)" "$(duration $(($(date +%s) - BEGAN)))"
    printf 'Machine: %s processors (%s), %s MiB, Linux %s, %s.\n\n' "$(nproc)" \
        "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
        "$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)" "$(uname -r)" "$(rustc --version)"
    printf '| part | result | time | figures |\n|---|---|---|---|\n'
    cat "$LOGS/rows"
}

mkdir -p "$LOGS"
: >"$LOGS/rows"
ARGUMENTS="$*"
cd "$ROOT"
readonly TESTS='^test result: ' LOAD='^(seconds of load|requests|answered|wrong|lost|errors without|crashes|connections|slowest call|descriptors|memory|server killed|graceful|children|pool|died|processes|the parent)'
scripts/setup.sh deep
part apache-deep "$LOAD" scripts/apache-deep.sh "$LOAD_SECONDS"
part prefork "$LOAD|^phpt " scripts/prefork.sh 120
part matrix-nts '^fault-matrix ' scripts/fault-matrix.sh nts
part matrix-zts '^fault-matrix ' scripts/fault-matrix.sh zts
part helgrind '^helgrind: ' scripts/helgrind.sh 60
part asan-ext '^asan-ext: ' scripts/asan-ext.sh
part memcheck '^memcheck: ' scripts/valgrind.sh
part tsan 'tsan|ThreadSanitizer' scripts/tsan.sh
part asan '^asan: ' scripts/asan.sh
part gate-model '.' python3 docs/models/gate_fair_model.py
part loom "$TESTS" scripts/loom.sh
part shuttle "$TESTS" shuttle
part fuzz 'Done|runs|fuzz' scripts/fuzz.sh 60
part crates "$TESTS" crate_tests
part mutants '^mutants' scripts/mutants.sh
part gate-mutants '.' scripts/gate-mutants.sh
for flavour in nts nts-8.4 zts zts-8.2 zts-debug; do
    part "phpt-$flavour" '^phpt ' phpt "$flavour"
done
part values-nts '^values ' scripts/values-deep.sh nts
part values-zts '^values ' scripts/values-deep.sh zts

for name in ${ONLY[@]+"${ONLY[@]}"} ${WITHOUT[@]+"${WITHOUT[@]}"}; do
    is_in "$name" "${KNOWN[@]}" || die "there is no part '$name'; known: ${KNOWN[*]}"
done
table | tee "$LOGS/table.md"
if [ "${#FAILED[@]}" -gt 0 ]; then
    printf 'check-deep: FAILED: %s (logs in %s)\n' "${FAILED[*]}" "$LOGS"
    exit 1
fi
printf 'check-deep: passed\n'
