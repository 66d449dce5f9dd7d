#!/usr/bin/env bash
# Makes what is attached to a release; prints the path of each file made.
#
#   scripts/package.sh pie nts|zts [--profile release|quick] [OUT]    the archive that PIE downloads
#   scripts/package.sh deb [--profile release|quick] [OUT]            a package for Debian's PHP 8.2
#   scripts/package.sh all [OUT]                                      all of them, and SHA256SUMS
#
#   scripts/package.sh name nts|zts                                   the name of that archive only
#
# OUT is dist/ unless given. A release is tagged with the bare version (0.1.0, no "v"), since PIE looks
# for archives by the name of the tag. The times in them are SOURCE_DATE_EPOCH, else that of the last
# commit.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VERSION="$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)"
# Not exported: cargo would build half of the extension anew for each commit.
EPOCH="${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct 2>/dev/null || echo 0)}"
KIND="${1:-}"
shift || true

# The directory is removed by the shell that made it.
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

# take_options ARGUMENT...: sets BUILD_ARGUMENTS and OUT from what is left.
take_options() {
    BUILD_ARGUMENTS=()
    if [ "${1:-}" = --profile ]; then
        BUILD_ARGUMENTS=("$1" "${2:-}")
        shift 2 || die "--profile wants release or quick"
    fi
    OUT="${1:-$ROOT/dist}"
    mkdir -p "$OUT"
    OUT="$(cd "$OUT" && pwd -P)"
}

# pie_name: as PIE builds it of the PHP that find_php chose.
pie_name() {
    # shellcheck disable=SC2016 # PHP's variables
    "$PHP" -n -r '
        printf("php_tagcache-%s_php%d.%d-%s-linux-glibc%s%s.zip", $argv[1], PHP_MAJOR_VERSION,
            PHP_MINOR_VERSION, php_uname("m") === "aarch64" ? "arm64" : php_uname("m"),
            PHP_DEBUG ? "-debug" : "", PHP_ZTS ? "-zts" : "");' -- "$VERSION"
}

pie() {
    local flavour="$1" extension name
    need zip
    find_php "$flavour"
    extension="$("$ROOT/scripts/build-ext.sh" "$flavour" "${BUILD_ARGUMENTS[@]}")"
    name="$(pie_name)"
    rm -rf "$WORK/pie"
    mkdir "$WORK/pie"
    # PIE takes tagcache.so from the top of the archive.
    install -m 644 "$extension" "$WORK/pie/tagcache.so"
    strip --strip-unneeded "$WORK/pie/tagcache.so"
    install -m 644 "$ROOT/LICENSE" "$ROOT/README.md" "$ROOT/CHANGELOG.md" "$WORK/pie/"
    find "$WORK/pie" -exec touch --no-dereference --date="@$EPOCH" {} +
    rm -f "$OUT/$name"
    (cd "$WORK/pie" && TZ=UTC zip -q -X "$OUT/$name" tagcache.so LICENSE README.md CHANGELOG.md)
    printf '%s\n' "$OUT/$name"
}

# The newest glibc that the library asks for.
glibc_of() {
    objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -n 1
}

deb() {
    local extension tree="$WORK/deb" arch name
    need dpkg-deb objdump
    find_php nts
    extension="$("$ROOT/scripts/build-ext.sh" nts "${BUILD_ARGUMENTS[@]}")"
    arch="$(dpkg --print-architecture)"
    name="php8.2-tagcache_${VERSION}-1_$arch.deb"
    rm -rf "$tree"
    install -D -m 644 "$extension" "$tree/usr/lib/php/$PHP_API/tagcache.so"
    strip --strip-unneeded "$tree/usr/lib/php/$PHP_API/tagcache.so"
    install -D -m 644 "$ROOT/packaging/tagcache.ini" "$tree/etc/php/8.2/mods-available/tagcache.ini"
    install -D -m 644 "$ROOT/LICENSE" "$tree/usr/share/doc/php8.2-tagcache/copyright"
    install -D -m 644 "$ROOT/CHANGELOG.md" "$tree/usr/share/doc/php8.2-tagcache/changelog"
    gzip -9 -n "$tree/usr/share/doc/php8.2-tagcache/changelog"
    install -d "$tree/DEBIAN"
    install -m 755 "$ROOT"/packaging/deb/postinst "$ROOT"/packaging/deb/prerm \
        "$ROOT"/packaging/deb/postrm "$tree/DEBIAN/"
    printf '/etc/php/8.2/mods-available/tagcache.ini\n' >"$tree/DEBIAN/conffiles"
    sed -e "s/@VERSION@/$VERSION-1/" -e "s/@ARCH@/$arch/" -e "s/@API@/$PHP_API/" \
        -e "s/@GLIBC@/$(glibc_of "$tree/usr/lib/php/$PHP_API/tagcache.so")/" \
        -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$tree" | cut -f 1)/" \
        "$ROOT/packaging/deb/control.in" >"$tree/DEBIAN/control"
    find "$tree" -type d -exec chmod 755 {} +
    SOURCE_DATE_EPOCH="$EPOCH" dpkg-deb --root-owner-group --build "$tree" "$OUT/$name" >/dev/null
    printf '%s\n' "$OUT/$name"
}

case "$KIND" in
pie)
    FLAVOUR="${1:-}"
    shift || die "for which PHP? nts or zts"
    take_options "$@"
    pie "$FLAVOUR"
    ;;
name)
    find_php "${1:-}"
    pie_name
    echo
    ;;
deb)
    take_options "$@"
    deb
    ;;
all)
    take_options "$@"
    pie nts
    pie zts
    deb
    (cd "$OUT" && sha256sum -- *.zip *.deb >SHA256SUMS)
    printf '%s\n' "$OUT/SHA256SUMS"
    ;;
*) die "usage: scripts/package.sh pie nts|zts, deb, all, or name nts|zts" ;;
esac
