#!/usr/bin/env bash
# Builds a thread-safe (ZTS) PHP 8.4 with its command line and its Apache module. Debian ships none.
#
#   scripts/php-zts.sh          build it if it is not there yet; prints its prefix
#   scripts/php-zts.sh --path   print the prefix of a finished build, or fail
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

# A private apt state with trixie's source index, from the mirrors in this machine's sources: its
# own lists are left alone, and no host name stands in this repository.
private_apt() {
    local dir="$1" archive security keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts"
    archive="$(mirror_of '')"
    security="$(mirror_of -security)"
    [ -n "$archive" ] || die "no Debian mirror in /etc/apt: give the tarball by TAGCACHE_PHP_SRC"
    {
        printf 'deb-src [signed-by=%s] %s trixie main\n' "$keyring" "$archive"
        printf 'deb-src [signed-by=%s] %s trixie-updates main\n' "$keyring" "$archive"
        if [ -n "$security" ]; then
            printf 'deb-src [signed-by=%s] %s trixie-security main\n' "$keyring" "$security"
        fi
    } >"$dir/sources.list"
    APT_OPTIONS=(
        -o "Dir::Etc::sourcelist=$dir/sources.list" -o "Dir::Etc::sourceparts=$dir/parts"
        -o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache"
        -o APT::Sandbox::User=root -o Acquire::Retries=2
    )
    # A suite that the mirror lacks is no reason to stop: what counts is whether php8.4 is found.
    apt-get "${APT_OPTIONS[@]}" update >"$dir/update.log" 2>&1 || true
}

# mirror_of SUFFIX: the first URI that /etc/apt has for the running release's suite with SUFFIX.
mirror_of() {
    local codename
    codename="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)"
    # shellcheck disable=SC2016 # apt expands these
    apt-get indextargets --format '$(SITE) $(RELEASE) $(REPO_URI)' 2>/dev/null |
        awk -v want="$codename$1" '$2 == want && !seen++ { print $3 }'
}

# from_debian DIR: leaves a verified .orig.tar.xz in DIR and sets SOURCE_VERSION and TARBALL.
from_debian() {
    local dir="$1" version versions
    say "fetching the source of PHP 8.4 from Debian trixie"
    private_apt "$dir/apt"
    # The wanted version first, then the others, newest first: a mirror can list what it dropped.
    versions="$(apt-cache "${APT_OPTIONS[@]}" showsrc php8.4 2>/dev/null |
        awk '$1 == "Version:" { print $2 }' | sort -urV)"
    [ -n "$versions" ] || {
        tail -n 5 "$dir/apt/update.log" >&2
        die "Debian's mirror has no source of php8.4: give the tarball by TAGCACHE_PHP_SRC"
    }
    for version in $(grep -F -- "$PHP_ZTS_VERSION-" <<<"$versions" || true) \
        $(grep -vF -- "$PHP_ZTS_VERSION-" <<<"$versions" || true); do
        if (cd "$dir" && apt-get "${APT_OPTIONS[@]}" source --download-only --only-source \
            "php8.4=$version" >"$dir/apt/source.log" 2>&1); then
            SOURCE_VERSION="${version%%-*}"
            TARBALL="$dir/php8.4_$SOURCE_VERSION.orig.tar.xz"
            [ -f "$TARBALL" ] && return 0
        fi
        say "php8.4 $version could not be fetched, trying the next one"
    done
    tail -n 5 "$dir/apt/source.log" >&2
    die "no source of php8.4 could be fetched: give the tarball by TAGCACHE_PHP_SRC"
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
*) die "usage: scripts/php-zts.sh [--path]" ;;
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
