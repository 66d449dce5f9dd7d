#!/usr/bin/env bash
# Tries every way to install from an empty folder: the archives of PIE, the .deb, and make install.
#
#   scripts/packaging-test.sh [--profile release|quick]
#
# What needs root (dpkg, make install) runs in a chroot over a copy-on-write view of this system that
# is thrown away; without root, or without overlayfs, that part is left out and said so. The last line
# is "packaging: N passed, N failed, N left out".
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PROFILE_ARGUMENTS=("$@")
need unzip zip dpkg-deb
WORK="$(mktemp -d)"
MOUNTED=()
PASSED=0 FAILED=0 LEFT_OUT=0
cleanup() {
    local i
    for ((i = ${#MOUNTED[@]} - 1; i >= 0; i--)); do
        umount -l "${MOUNTED[i]}" 2>/dev/null || true
    done
    rm -rf --one-file-system "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# try WHAT COMMAND...: counts.
try() {
    local what="$1"
    shift
    if "$@" >"$WORK/log" 2>&1; then
        PASSED=$((PASSED + 1))
        say "ok: $what"
    else
        FAILED=$((FAILED + 1))
        say "FAILED: $what"
        cat "$WORK/log" >&2
    fi
}

# shellcheck disable=SC2016 # PHP's
readonly SHOW='$c = new TagCache; echo TagCache::VERSION === phpversion("tagcache") ? "loaded" : "no";'

from_archive() {
    local flavour="$1" archive empty
    archive="$("$ROOT/scripts/package.sh" pie "$flavour" "${PROFILE_ARGUMENTS[@]}" "$WORK/dist")"
    empty="$(mktemp -d -p "$WORK")"
    unzip -q "$archive" -d "$empty"
    find_php "$flavour"
    [ "$(cd "$empty" && "$PHP" -n -d extension="$empty/tagcache.so" -r "$SHOW")" = loaded ]
}
try "the archive for PIE, NTS" from_archive nts
try "the archive for PIE, ZTS" from_archive zts
DEB="$("$ROOT/scripts/package.sh" deb "${PROFILE_ARGUMENTS[@]}" "$WORK/dist")"

# A view of the system whose changes go to memory.
chroot_made() {
    [ "$(id -u)" = 0 ] || return 1
    mkdir -p "$WORK/memory" "$WORK/root"
    mount -t tmpfs none "$WORK/memory" || return 1
    MOUNTED+=("$WORK/memory")
    mkdir "$WORK/memory/upper" "$WORK/memory/work"
    mount -t overlay none -o "lowerdir=/,upperdir=$WORK/memory/upper,workdir=$WORK/memory/work" \
        "$WORK/root" || return 1
    MOUNTED+=("$WORK/root")
    mount --bind /dev "$WORK/root/dev" || return 1
    MOUNTED+=("$WORK/root/dev")
    mount -t proc none "$WORK/root/proc" || return 1
    MOUNTED+=("$WORK/root/proc")
}
inside() {
    chroot "$WORK/root" /bin/bash -ec "$1"
}
# The PHP of the chroot, with its own settings, from an empty folder.
readonly LOADED="cd \$(mktemp -d); [ \"\$(php8.2 -r '$SHOW' 2>&1)\" = loaded ]"
# shellcheck disable=SC2016 # for the shell in there
readonly ABSENT='cd $(mktemp -d); ! php8.2 -m 2>&1 | grep -q tagcache'

if chroot_made >"$WORK/chroot.log" 2>&1; then
    cp "$DEB" "$WORK/root/tagcache.deb"
    try "before: PHP does not know it" inside "$ABSENT"
    try "dpkg --install" inside "dpkg --install /tagcache.deb && $LOADED"
    try "dpkg --remove" inside "dpkg --remove php8.2-tagcache && $ABSENT"
    try "dpkg --purge leaves nothing" inside \
        'dpkg --purge php8.2-tagcache; ! find /etc/php /usr/lib/php /var/lib/php -name "*tagcache*" | grep .'
    BUILT="$("$ROOT/scripts/build-ext.sh" nts "${PROFILE_ARGUMENTS[@]}")"
    try "make install" inside "cd '$ROOT' && make install TAGCACHE_EXTENSION='$BUILT' && $LOADED"
    try "make uninstall" inside "cd '$ROOT' && make uninstall && $ABSENT"
    try "uninstalling leaves nothing" inside \
        '! find /etc/php /usr/lib/php /var/lib/php -name "*tagcache*" | grep -v disabled_by_admin | grep .'
else
    LEFT_OUT=7
    say "note: dpkg and make install were left out of packaging, no chroot: $(tail -n 1 "$WORK/chroot.log")"
fi
DESTDIR="$WORK/staged" "$ROOT/scripts/install.sh" install nts "${PROFILE_ARGUMENTS[@]}" >/dev/null 2>&1 || true
try "DESTDIR" test -s "$WORK/staged$(find_php nts && "$PHP_CONFIG" --extension-dir)/tagcache.so"
printf 'packaging: %d passed, %d failed, %d left out\n' "$PASSED" "$FAILED" "$LEFT_OUT"
[ "$FAILED" = 0 ]
