#!/usr/bin/env bash
# Builds a thread-safe (ZTS) PHP 8.4 with its command line and its Apache module. Debian ships none.
#
#   scripts/build-php.sh          build it if it is not there yet; prints its prefix
#   scripts/build-php.sh --path   print the prefix of a finished build, or fail
#
# The result lives in the cache (TAGCACHE_CACHE, default ~/.cache/tagcache), keyed by version and
# configure flags. It appears there by one rename under a lock: an interrupted build leaves nothing
# that a later run would take for a PHP.
#
# The source is php8.4_8.4.24.orig.tar.xz, from TAGCACHE_PHP_SRC (that file, or a directory that
# holds it), else from Debian trixie's source package, by the mirror this machine already uses.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apt-source.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt-source.sh"

readonly PHP_ZTS_VERSION=8.4.24
readonly SHA256=e127be09a8506f4327c5cfa78a614b00d210714484ec215ce0011b4a03c00731
# --with-apxs2 and --enable-embed exclude each other; mod_php is the one the tests need.
readonly FLAGS=(
    --enable-zts --disable-all --disable-cgi --disable-phpdbg --with-apxs2=/usr/bin/apxs2
    --enable-session --enable-pcntl --enable-posix --enable-tokenizer --enable-ctype
    --enable-filter --enable-mbstring --disable-mbregex --with-libxml --enable-dom --enable-xml
    --enable-xmlwriter --enable-phar --enable-opcache
)

CACHE="$(cache_dir)"
KEY="$(printf '%s\n' "${FLAGS[@]}" | sha256sum | cut -c1-12)"

# finished: the prefix of a finished build with our flags; the wanted version first, else the
# newest other 8.4 (which exists only where the mirror no longer had the wanted one).
finished() {
    local prefix
    for prefix in "$CACHE/php-zts-$PHP_ZTS_VERSION-$KEY" \
        $(find "$CACHE" -maxdepth 1 -name "php-zts-8.4.*-$KEY" 2>/dev/null | sort -rV); do
        if [ -x "$prefix/bin/php" ] && [ -f "$prefix/lib/libphp.so" ]; then
            printf '%s\n' "$prefix"
            return 0
        fi
    done
    return 1
}

# from_debian DIR: leaves the tarball in DIR and sets SOURCE_VERSION and TARBALL.
from_debian() {
    say "fetching the source of PHP 8.4 from Debian trixie"
    private_apt "$1/apt"
    download_source "$1" php8.4 "$PHP_ZTS_VERSION" || {
        tail -n 5 "$1/apt/update.log" >&2
        die "Debian's mirror has no source of php8.4: give the tarball by TAGCACHE_PHP_SRC"
    }
}

# get_source DIR: sets SOURCE_VERSION and TARBALL.
get_source() {
    local dir="$1" name="php8.4_$PHP_ZTS_VERSION.orig.tar.xz"
    if [ -n "${TAGCACHE_PHP_SRC:-}" ]; then
        TARBALL="$TAGCACHE_PHP_SRC"
        [ -d "$TARBALL" ] && TARBALL="$TARBALL/$name"
        [ -f "$TARBALL" ] || die "TAGCACHE_PHP_SRC: there is no file $TARBALL"
        SOURCE_VERSION="$PHP_ZTS_VERSION"
    else
        from_debian "$dir"
    fi
    # apt has checked other versions against the signed index; ours is pinned here as well.
    if [ "$SOURCE_VERSION" = "$PHP_ZTS_VERSION" ]; then
        printf '%s  %s\n' "$SHA256" "$TARBALL" | sha256sum --check --quiet --strict >&2 ||
            die "$TARBALL is not the PHP $PHP_ZTS_VERSION that this script knows (sha256 differs)"
    fi
}

build() {
    local work="$1" prefix log="$1/build.log" stage="$1/stage"
    get_source "$work"
    prefix="$CACHE/php-zts-$SOURCE_VERSION-$KEY"
    say "building ZTS PHP $SOURCE_VERSION into $prefix (about 7 minutes on 2 cores; log: $log)"
    mkdir -p "$work/src"
    tar -xJf "$TARBALL" -C "$work/src" --strip-components=1
    (
        cd "$work/src"
        ./configure --prefix="$prefix" "${FLAGS[@]}"
    ) >"$log" 2>&1 || fail "$log" configure
    say "configured, compiling"
    make -C "$work/src" -j"$(jobs_wanted)" >>"$log" 2>&1 || fail "$log" make
    say "compiled, installing"
    # Never plain `install`: with apxs2 that edits the system's Apache configuration.
    make -C "$work/src" INSTALL_ROOT="$stage" install-cli install-build install-headers \
        install-programs install-modules >>"$log" 2>&1 || fail "$log" install
    cp "$work/src/libs/libphp.so" "$stage$prefix/lib/libphp.so"
    "$stage$prefix/bin/php" -n -r 'exit(PHP_ZTS ? 0 : 1);' || fail "$log" "the result is not ZTS;"
    rm -rf "$prefix"
    mv -T "$stage$prefix" "$prefix"
    say "ZTS PHP $SOURCE_VERSION is ready"
}

fail() {
    tail -n 30 "$1" >&2
    cp "$1" "$CACHE/php-zts-failed.log"
    die "$2 failed, see $CACHE/php-zts-failed.log"
}

case "${1:-}" in
--path)
    finished
    exit
    ;;
'') ;;
*) die "usage: scripts/build-php.sh [--path]" ;;
esac

finished && exit
need make gcc pkg-config apxs2 xz
mkdir -p "$CACHE"
exec 9>"$CACHE/php-zts.lock"
flock -n 9 || {
    say "another process builds the ZTS PHP, waiting for it"
    flock 9
}
finished && exit
# Whoever held the lock before us is gone, and so is the use of what it left half done.
rm -rf "$CACHE"/php-zts-build.*
WORK="$(mktemp -d "$CACHE/php-zts-build.XXXXXX")"
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
build "$WORK"
finished
