#!/usr/bin/env bash
# Builds the extensions igbinary and msgpack for the ZTS PHP of scripts/build-php.sh. Debian builds
# them for its own PHP only, and bookworm's igbinary does not compile with PHP 8.4.
#
#   scripts/build-serializers.sh          build them if they are not there; prints their directory
#   scripts/build-serializers.sh --path   print the directory of a finished build, or fail
#
# They live in the cache, keyed by their versions and the PHP, and appear there by one rename under
# a lock. The sources are those of Debian trixie's source packages, by the mirror this machine
# already uses, or the tarballs (php-igbinary_3.2.16.orig.tar.gz, php-msgpack_3.0.0.orig.tar.gz) in
# the directory TAGCACHE_PHP_SRC.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apt-source.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt-source.sh"

readonly NAMES=(igbinary msgpack)
declare -rA VERSIONS=([igbinary]=3.2.16 [msgpack]=3.0.0)
declare -rA SHA256=(
    [igbinary]=8bf25d465abc7973d9e2c9a3039a5f8eea635b23bc1477017ff3999ff95836da
    [msgpack]=55306a84797d399c6b269181ec484634f18bea1330bbd9d7405043c597de69cd
)

CACHE="$(cache_dir)"
ZTS="$("$ROOT/scripts/build-php.sh" --path)" || die "no ZTS PHP: run scripts/build-php.sh"
TARGET="$CACHE/$(basename "$ZTS")-igbinary-${VERSIONS[igbinary]}-msgpack-${VERSIONS[msgpack]}"

finished() {
    [ -f "$TARGET/igbinary.so" ] && [ -f "$TARGET/msgpack.so" ] && printf '%s\n' "$TARGET"
}

# get_source NAME DIR: sets TARBALL.
get_source() {
    local name="$1" dir="$2" given
    given="${TAGCACHE_PHP_SRC:-}/php-${name}_${VERSIONS[$name]}.orig.tar.gz"
    if [ -f "$given" ]; then
        TARBALL="$given"
        SOURCE_VERSION="${VERSIONS[$name]}"
    else
        [ -n "${APT_OPTIONS[*]:-}" ] || private_apt "$dir/apt"
        download_source "$dir" "php-$name" "${VERSIONS[$name]}" ||
            die "Debian's mirror has no source of php-$name: put its tarball into TAGCACHE_PHP_SRC"
    fi
    # apt has checked other versions against the signed index; ours is pinned here as well.
    if [ "$SOURCE_VERSION" = "${VERSIONS[$name]}" ]; then
        printf '%s  %s\n' "${SHA256[$name]}" "$TARBALL" | sha256sum --check --quiet --strict >&2 ||
            die "$TARBALL is not the $name that this script knows (sha256 differs)"
    fi
}

build() {
    local name="$1" work="$2" log="$2/$1.log" config
    get_source "$name" "$work"
    say "building $name $SOURCE_VERSION for the ZTS PHP"
    mkdir -p "$work/$name"
    tar -xf "$TARBALL" -C "$work/$name"
    # The tarballs of PECL have one directory beside package.xml.
    config="$(find "$work/$name" -maxdepth 2 -name config.m4 | head -n 1)"
    [ -n "$config" ] || die "$TARBALL holds no config.m4"
    (
        cd "$(dirname "$config")"
        "$ZTS/bin/phpize"
        ./configure --with-php-config="$ZTS/bin/php-config"
        make -j"$(jobs_wanted)"
        cp "modules/$name.so" "$work/stage/"
    ) >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "$name does not build for $ZTS"
    }
    "$ZTS/bin/php" -n -d "extension=$work/stage/$name.so" -r "exit(extension_loaded('$name') ? 0 : 1);" ||
        die "the ZTS PHP does not load the $name that was just built"
}

case "${1:-}" in
--path)
    finished
    exit
    ;;
'') ;;
*) die "usage: scripts/build-serializers.sh [--path]" ;;
esac

finished && exit
need make gcc autoconf
exec 9>"$CACHE/php-zts-serializers.lock"
flock 9
finished && exit
rm -rf "$CACHE"/php-zts-serializers-build.*
WORK="$(mktemp -d "$CACHE/php-zts-serializers-build.XXXXXX")"
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$WORK/stage"
for name in "${NAMES[@]}"; do
    build "$name" "$WORK"
done
rm -rf "$TARGET"
mv -T "$WORK/stage" "$TARGET"
say "igbinary and msgpack for the ZTS PHP are ready"
finished
