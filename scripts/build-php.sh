#!/usr/bin/env bash
# Builds a PHP that Debian does not ship, and the extensions igbinary and msgpack for it.
#
#   scripts/build-php.sh [FLAVOUR]           build it if it is not there yet; prints its prefix
#   scripts/build-php.sh --path [FLAVOUR]    print the prefix of a finished build, or fail
#   scripts/build-php.sh --sources           whether the mirror has what a fresh machine needs: fetch
#                                            one source of each, and throw it away
#
#   zts (default)   thread-safe, with mod_php: 8.4, or else the running release's 8.2
#   zts-debug       the same with Zend's assertions and its search for leaks
#   zts-8.2         thread-safe 8.2
#   nts-8.4         8.4 without threads, the command line only
#
# The result lives in the cache (TAGCACHE_CACHE, default ~/.cache/tagcache), keyed by version and
# configure flags. It appears there by one rename under a lock: an interrupted build leaves nothing
# that a later run would take for a PHP.
#
# Sources come from Debian, by the mirror this machine already uses: the version that is wanted, any
# other of any suite, then the running release's; the next one is tried, too, if one does not
# build. What was not the first choice is said in a line "note: ...", each time. TAGCACHE_PHP_SRC may
# name php8.4_8.4.24.orig.tar.xz, or a directory that holds it or the tarballs of the extensions.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apt-source.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt-source.sh"

readonly NEWER=php8.4 RELEASE=php8.2 # the second is what setup.sh installs
declare -rA WANTED=([php8.4]=8.4.24 [php-igbinary]=3.2.16 [php-msgpack]=3.0.0)
# apt has checked what it fetched against the signed index; what we want is pinned here as well.
declare -rA SHA256=(
    [php8.4_8.4.24]=e127be09a8506f4327c5cfa78a614b00d210714484ec215ce0011b4a03c00731
    [php-igbinary_3.2.16]=8bf25d465abc7973d9e2c9a3039a5f8eea635b23bc1477017ff3999ff95836da
    [php-msgpack_3.0.0]=55306a84797d399c6b269181ec484634f18bea1330bbd9d7405043c597de69cd
)
# --with-apxs2 and --enable-embed exclude each other; mod_php is the one the tests need. With it,
# Debian's Apache would make any PHP thread-safe.
readonly ZTS_FLAGS=(
    --enable-zts --disable-all --disable-cgi --disable-phpdbg --with-apxs2=/usr/bin/apxs2
)
readonly NTS_FLAGS=(--disable-all --disable-cgi --disable-phpdbg)
readonly EXTENSIONS=(
    --enable-session --enable-pcntl --enable-posix --enable-tokenizer --enable-ctype
    --enable-filter --enable-mbstring --disable-mbregex --with-libxml --enable-dom --enable-xml
    --enable-xmlwriter --enable-phar --enable-opcache
)
readonly SERIALIZERS=(igbinary msgpack)

CACHE="$(cache_dir)"

# choose FLAVOUR: sets KIND (as in the name of the prefix), FLAGS, KEY, and CHAIN: the source packages.
choose() {
    KIND="${1%-8.*}"
    case "$1" in
    zts) CHAIN=("$NEWER" "$RELEASE") FLAGS=("${ZTS_FLAGS[@]}") ;;
    zts-debug) CHAIN=("$NEWER" "$RELEASE") FLAGS=(--enable-debug "${ZTS_FLAGS[@]}") ;;
    zts-8.2) CHAIN=(php8.2) FLAGS=("${ZTS_FLAGS[@]}") ;;
    nts-8.4) CHAIN=(php8.4) FLAGS=("${NTS_FLAGS[@]}") ;;
    *) die "which PHP? '$1' is none of zts, zts-debug, zts-8.2, nts-8.4" ;;
    esac
    FLAGS+=("${EXTENSIONS[@]}")
    KEY="$(printf '%s\n' "${FLAGS[@]}" | sha256sum | cut -c1-12)"
}

# extension_dir PREFIX: where the extensions of that PHP are.
extension_dir() {
    "$1/bin/php-config" --extension-dir
}

has_php() {
    [ -x "$1/bin/php" ] && { [[ "$KIND" = nts* ]] || [ -f "$1/lib/libphp.so" ]; }
}

has_serializers() {
    local name dir
    dir="$(extension_dir "$1")"
    for name in "${SERIALIZERS[@]}"; do
        [ -f "$dir/$name.so" ] || return 1
    done
}

# built_php: the prefix of a finished PHP: the wanted version first, then the newest other one. What
# is not of the chain's first package counts only where it was built in its place.
built_php() {
    local package prefix
    for package in "${CHAIN[@]}"; do
        for prefix in "$CACHE/php-$KIND-${WANTED[$package]:-none}-$KEY" \
            $(find "$CACHE" -maxdepth 1 -name "php-$KIND-${package#php}.*-$KEY" 2>/dev/null | sort -rV); do
            if has_php "$prefix" && { [ "$package" = "${CHAIN[0]}" ] || [ -f "$prefix/note-php" ]; }; then
                printf '%s\n' "$prefix"
                return 0
            fi
        done
    done
    return 1
}

finished() {
    local prefix
    prefix="$(built_php)" && has_serializers "$prefix" && printf '%s\n' "$prefix"
}

# notes PREFIX: says what of it was not the first choice.
notes() {
    local about
    for about in php "${SERIALIZERS[@]}"; do
        if [ -f "$1/note-$about" ] && { [ "$about" != php ] || [ "${#CHAIN[@]}" -gt 1 ]; }; then
            say "note: $(cat "$1/note-$about"); to try again: rm -r '$1'"
        fi
    done
}

# refuse LOG WHY: a source that does not build; the next one may.
refuse() {
    WHY="$2"
    tail -n 30 "$1" >&2
    cp "$1" "$CACHE/build-failed.log"
    say "$SOURCE $2; log: $CACHE/build-failed.log"
    return 1
}

# known_bytes: whether TARBALL is what we have pinned, if we have.
known_bytes() {
    local name="${SOURCE%% *}_$SOURCE_VERSION" sum
    sum="${SHA256[$name]:-}"
    [ -n "$sum" ] || return 0
    printf '%s  %s\n' "$sum" "$TARBALL" | sha256sum --check --quiet --strict >&2 && return 0
    WHY="$(basename "$TARBALL") is not the file that this script knows (sha256 differs)"
    return 1
}

# from_given TAKE PACKAGE: offers the wanted tarball of TAGCACHE_PHP_SRC, if it is there. As it was
# given by hand, it has to be right.
from_given() {
    local take="$1" package="$2"
    SOURCE="$package ${WANTED[$package]:-}" SOURCE_VERSION="${WANTED[$package]:-}"
    [ -n "${TAGCACHE_PHP_SRC:-}" ] && [ -n "$SOURCE_VERSION" ] || return 1
    if [ -f "$TAGCACHE_PHP_SRC" ]; then
        [ "$package" = "$NEWER" ] || return 1
        TARBALL="$TAGCACHE_PHP_SRC"
    else
        [ -d "$TAGCACHE_PHP_SRC" ] || die "TAGCACHE_PHP_SRC: there is no '$TAGCACHE_PHP_SRC'"
        TARBALL="$(find "$TAGCACHE_PHP_SRC/" -maxdepth 1 \
            -name "${package}_$SOURCE_VERSION.orig.tar.*" ! -name '*.asc' | head -n 1)"
        [ -n "$TARBALL" ] || return 1
    fi
    known_bytes || die "TAGCACHE_PHP_SRC: $WHY"
    "$take" || die "TAGCACHE_PHP_SRC: $TARBALL: $WHY"
}

# obtain TAKE PACKAGE...: the first link of the chain that TAKE takes.
obtain() {
    local take="$1"
    shift
    REFUSED=()
    from_given "$take" "$1" && return 0
    if [ "${#APT_OPTIONS[@]}" = 0 ]; then
        say "asking Debian's mirror for its sources"
        private_apt
    fi
    try_sources "$WORK" "${WANTED[$1]:-}" "$take" "$@"
}

configuring() {
    printf 'configuring: %s\n' "$(tail -n 1 "$WORK/build.log" | cut -c1-70)"
}

compiling() {
    printf 'compiled %d of %d objects\n' "$(find "$WORK/php" -name '*.lo' | wc -l)" "$OBJECTS"
}

# take_php: builds PHP from TARBALL and sets PREFIX; see try_sources.
take_php() {
    local log="$WORK/build.log" stage="$WORK/stage" targets
    known_bytes || return 1
    PREFIX="$CACHE/php-$KIND-$SOURCE_VERSION-$KEY"
    ! has_php "$PREFIX" || return 0
    say "building PHP $SOURCE_VERSION ($FLAVOUR) into $PREFIX (about 7 minutes on 2 cores; log: $log)"
    rm -rf "$WORK/php" "$stage"
    mkdir "$WORK/php"
    : >"$log"
    tar -xf "$TARBALL" -C "$WORK/php" --strip-components=1 >>"$log" 2>&1 ||
        refuse "$log" "cannot be unpacked" || return 1
    (cd "$WORK/php" && with_progress "$log" configuring ./configure --prefix="$PREFIX" "${FLAGS[@]}") ||
        refuse "$log" "does not pass configure" || return 1
    OBJECTS="$(make -n -C "$WORK/php" 2>/dev/null | grep -c -- '--mode=compile' || true)"
    say "configured, compiling $OBJECTS objects"
    with_progress "$log" compiling make -C "$WORK/php" -j"$(jobs_wanted)" ||
        refuse "$log" "does not compile" || return 1
    say "compiled, installing"
    # Never plain `install`: with apxs2 that edits the system's Apache configuration.
    targets=(install-cli install-build install-headers install-programs install-modules)
    make -C "$WORK/php" INSTALL_ROOT="$stage" "${targets[@]}" >>"$log" 2>&1 ||
        refuse "$log" "cannot be installed" || return 1
    [[ "$KIND" = nts* ]] || cp "$WORK/php/libs/libphp.so" "$stage$PREFIX/lib/libphp.so" ||
        refuse "$log" "made no libphp.so" || return 1
    # shellcheck disable=SC2016 # PHP's variables
    "$stage$PREFIX/bin/php" -n -r '
        exit([PHP_ZTS, PHP_DEBUG] == array_map("intval", [$argv[1], $argv[2]]) ? 0 : 1);' -- \
        "$([[ "$KIND" = nts* ]] && echo 0 || echo 1)" "$([[ "$KIND" != *-debug ]] && echo 0 || echo 1)" \
        >>"$log" 2>&1 || refuse "$log" "did not become $FLAVOUR" || return 1
    rm -rf "$PREFIX"
    mv -T "$stage$PREFIX" "$PREFIX"
    say "PHP $SOURCE_VERSION ($FLAVOUR) is ready"
}

# take_serializer: builds the extension NAME from TARBALL into PREFIX; see try_sources.
take_serializer() {
    local log="$WORK/$NAME.log" tree="$WORK/$NAME" config
    known_bytes || return 1
    say "building $NAME $SOURCE_VERSION for $(basename "$PREFIX")"
    rm -rf "$tree"
    mkdir "$tree"
    # The tarballs of PECL have one directory beside package.xml.
    tar -xf "$TARBALL" -C "$tree" >"$log" 2>&1 && config="$(find "$tree" -maxdepth 2 -name config.m4 | head -n 1)" &&
        [ -n "$config" ] || refuse "$log" "cannot be unpacked" || return 1
    (
        cd "$(dirname "$config")" && "$PREFIX/bin/phpize" &&
            ./configure --with-php-config="$PREFIX/bin/php-config" && make -j"$(jobs_wanted)" &&
            "$PREFIX/bin/php" -n -d "extension=$PWD/modules/$NAME.so" -r "exit(extension_loaded('$NAME') ? 0 : 1);" &&
            mkdir -p "$(extension_dir "$PREFIX")" &&
            install -m 644 "modules/$NAME.so" "$(extension_dir "$PREFIX")/$NAME.new"
    ) >>"$log" 2>&1 || refuse "$log" "does not build for $(basename "$PREFIX")" || return 1
    mv "$(extension_dir "$PREFIX")/$NAME.new" "$(extension_dir "$PREFIX")/$NAME.so"
}

build() {
    if ! PREFIX="$(built_php)"; then
        obtain take_php "${CHAIN[@]}" ||
            die "no source of PHP for $FLAVOUR: $(refused). Give a tarball by TAGCACHE_PHP_SRC"
        if [ "${SOURCE%% *}" != "${CHAIN[0]}" ]; then
            printf '%s is PHP %s, as %s was not to be had: %s\n' "$FLAVOUR" "$SOURCE_VERSION" \
                "${CHAIN[0]}" "$(refused)" >"$PREFIX/note-php"
        fi
    fi
    for NAME in "${SERIALIZERS[@]}"; do
        [ ! -f "$(extension_dir "$PREFIX")/$NAME.so" ] || continue
        obtain take_serializer "php-$NAME" ||
            die "no source of $NAME: $(refused). Put a tarball into the directory TAGCACHE_PHP_SRC"
        rm -f "$PREFIX/note-$NAME"
        if [ "$SOURCE_VERSION" != "${WANTED[php-$NAME]}" ]; then
            printf '%s is %s: %s\n' "$NAME" "$SOURCE_VERSION" "$(refused)" >"$PREFIX/note-$NAME"
        fi
    done
}

# work_dir: a place for what is half done, under a lock.
work_dir() {
    mkdir -p "$CACHE"
    exec 9>"$CACHE/php.lock"
    flock -n 9 || {
        say "another process builds a PHP, waiting for it"
        flock 9
    }
    # Whoever held the lock before us is gone, and so is the use of what it left half done.
    rm -rf "$CACHE"/php-build.*
    WORK="$(mktemp -d "$CACHE/php-build.XXXXXX")"
    trap 'rm -rf "$WORK"' EXIT
    trap 'exit 130' INT TERM HUP
}

sources() {
    local missing=0 chain
    unset TAGCACHE_PHP_SRC
    for chain in "$NEWER $RELEASE" php-igbinary php-msgpack; do
        # shellcheck disable=SC2086 # a list of packages
        if obtain known_bytes $chain; then
            say "sources: $SOURCE can be had"
            [ "${#REFUSED[@]}" = 0 ] || say "note: sources: $SOURCE it would be: $(refused)"
        else
            say "error: sources: the mirror has none of $chain: $(refused)"
            missing=1
        fi
    done
    return "$missing"
}

WHAT=build
case "${1:-}" in
--path | --sources)
    WHAT="${1#--}"
    shift
    ;;
esac
[ "$#" -le 1 ] || die "usage: scripts/build-php.sh [--path] [zts|zts-debug|zts-8.2|nts-8.4], or --sources"
FLAVOUR="${1:-zts}"
choose "$FLAVOUR"
case "$WHAT" in
path)
    finished
    exit
    ;;
sources)
    need apt-get apt-cache
    WORK="$(mktemp -d)"
    trap 'rm -rf "$WORK"' EXIT
    trap 'exit 130' INT TERM HUP
    sources
    exit
    ;;
esac
if ! finished >/dev/null; then
    need make gcc pkg-config apxs2 xz autoconf
    work_dir
    finished >/dev/null || build
fi
PREFIX="$(finished)"
notes "$PREFIX"
printf '%s\n' "$PREFIX"
