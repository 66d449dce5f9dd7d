#!/usr/bin/env bash
# Installs the Debian packages that are missing. Does nothing, and asks apt nothing, if none is.
#
#   scripts/setup.sh demo   what building and running with Debian's PHP needs
#   scripts/setup.sh        that, and what the tests need (Apache, wrk, the ZTS PHP's build)
#   scripts/setup.sh deep   that, and what scripts/check-deep.sh needs
#   scripts/setup.sh bench  that, and what scripts/bench.sh compares with
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly FOR_DEMO=(
    build-essential # the linker, and what crates with C parts want
    pkg-config
    clang        # bindgen asks it for the compiler's own headers
    libclang-dev # bindgen reads PHP's headers with it
    php8.2-cli
    php8.2-dev
)
# apache2-bin and apache2-dev are the server and its build files, without the service: nothing of
# ours starts an Apache that the machine did not have, and Debian's configuration is not there to
# be edited.
# procps has kill(1), which minimal images lack. Chromium looks at the status page.
# The serializers are those of Debian's PHP; for others scripts/build-php.sh builds them.
readonly FOR_TESTS=(
    apache2-bin apache2-dev chromium curl libxml2-dev php8.2-igbinary php8.2-msgpack procps shellcheck
    unzip wrk xz-utils zip
)
readonly FOR_DEEP=(git python3 valgrind)
# Their services are not started, see install.
readonly FOR_BENCH=(memcached php8.2-memcached php8.2-redis python3 redis-server)

case "${1:-}" in
demo) WANTED=("${FOR_DEMO[@]}") ;;
'') WANTED=("${FOR_DEMO[@]}" "${FOR_TESTS[@]}") ;;
deep) WANTED=("${FOR_DEMO[@]}" "${FOR_TESTS[@]}" "${FOR_DEEP[@]}") ;;
bench) WANTED=("${FOR_DEMO[@]}" "${FOR_TESTS[@]}" "${FOR_BENCH[@]}") ;;
*) die "usage: scripts/setup.sh [demo|deep|bench]" ;;
esac

check_rust() {
    local wanted have
    command -v cargo >/dev/null ||
        die "cargo is missing: install Rust (https://rustup.rs), then run this again"
    wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)"
    have="$(rustc --version | cut -d ' ' -f 2)"
    if [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1)" != "$wanted" ]; then
        die "Rust $wanted or newer is needed, this is $have: run 'rustup update stable'"
    fi
}

# missing PACKAGE...: those that are not installed.
missing() {
    local package
    for package in "$@"; do
        # shellcheck disable=SC2016 # dpkg-query's own field
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
            printf '%s\n' "$package"
    done
}

# as_root COMMAND...: through sudo if we are not root.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

last_line() {
    printf 'apt: %s\n' "$(tail -n 1 "$log" | cut -c1-70)"
}

install() {
    local log status=0 policy=/usr/sbin/policy-rc.d
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "not root and no sudo; run as root: apt-get install --no-install-recommends ${MISSING[*]}"
    log="$(mktemp)"
    say "installing ${MISSING[*]}"
    as_root apt-get update >"$log" 2>&1 || say "apt-get update failed, trying with the old lists"
    # No package may start a service while we install: a stop sign for invoke-rc.d, unless the
    # machine has its own.
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    with_progress "$log" last_line as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
        --no-install-recommends -o Dpkg::Use-Pty=0 "${MISSING[@]}" </dev/null || status=$?
    if [ "$status" != 0 ]; then
        tail -n 20 "$log" >&2
        die "apt-get install failed (whole log: $log)"
    fi
    rm -f "$log"
}

check_rust
[ -e /etc/debian_version ] || die "this script knows Debian; needed here: ${WANTED[*]}"
mapfile -t MISSING < <(missing "${WANTED[@]}")
if [ "${#MISSING[@]}" -gt 0 ]; then
    install
    mapfile -t MISSING < <(missing "${WANTED[@]}")
    [ "${#MISSING[@]}" = 0 ] || die "still missing after apt-get install: ${MISSING[*]}"
fi
say "every package is there"
