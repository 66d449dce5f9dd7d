#!/usr/bin/env bash
# Installs the extension into a PHP, or removes it.
#
#   scripts/install.sh install [nts|zts] [--profile release|quick]
#   scripts/install.sh uninstall [nts|zts]
#
# nts (the default) is Debian's PHP 8.2, or what TAGCACHE_PHP_NTS and TAGCACHE_PHP_CONFIG_NTS name.
# The library goes to PHP's extension directory; a file tagcache.ini in the directory that PHP scans
# for settings loads it. Under Debian that is mods-available and phpenmod, for all its SAPIs.
# TAGCACHE_EXTENSION is a library to install instead of building one.
# With DESTDIR everything goes below that directory, and nothing is run there.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WHAT="${1:-}"
FLAVOUR="${2:-nts}"
find_php "$FLAVOUR"
DESTDIR="${DESTDIR:-}"
EXTENSION_DIR="$("$PHP_CONFIG" --extension-dir)"
LIBRARY="$DESTDIR$EXTENSION_DIR/tagcache.so"
VERSION="$("$PHP" -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')"
DEBIAN_INI="/etc/php/$VERSION/mods-available"
SCAN_DIR="$("$PHP" -r 'echo PHP_CONFIG_FILE_SCAN_DIR;' 2>/dev/null)"

# debian_php: whether this PHP is managed by phpenmod.
debian_php() {
    [ "$EXTENSION_DIR" = "/usr/lib/php/$PHP_API" ] && [ -d "$DEBIAN_INI" ] &&
        command -v phpenmod >/dev/null
}

# loaded: the version that a fresh PHP has loaded by its settings.
loaded() {
    "$PHP" -r 'echo phpversion("tagcache");' 2>/dev/null
}

enable() {
    if debian_php; then
        install -D -m 644 "$ROOT/packaging/tagcache.ini" "$DESTDIR$DEBIAN_INI/tagcache.ini"
        [ -n "$DESTDIR" ] || phpenmod -v "$VERSION" tagcache
    elif [ -n "$SCAN_DIR" ]; then
        install -D -m 644 "$ROOT/packaging/tagcache.ini" "$DESTDIR$SCAN_DIR/50-tagcache.ini"
    else
        say "this PHP scans no directory for settings: put 'extension=tagcache' into its php.ini"
        return 0
    fi
    [ -z "$DESTDIR" ] || return 0
    [ -n "$(loaded)" ] || die "installed, but PHP does not load it: run '$PHP -m'"
    say "PHP $VERSION loads tagcache $(loaded); restart Apache or FPM for them to do so"
}

case "$WHAT" in
install)
    BUILT="${TAGCACHE_EXTENSION:-$("$ROOT/scripts/build-ext.sh" "$FLAVOUR" "${@:3}")}"
    # Beside the old one and then in its place: a PHP that runs has the old one mapped.
    install -D -m 644 "$BUILT" "$LIBRARY.new"
    mv -f "$LIBRARY.new" "$LIBRARY"
    enable
    ;;
uninstall)
    if debian_php && [ -z "$DESTDIR" ]; then
        phpdismod -v "$VERSION" tagcache 2>/dev/null || true
    fi
    rm -f "$LIBRARY" "$DESTDIR$DEBIAN_INI/tagcache.ini"
    [ -z "$SCAN_DIR" ] || rm -f "$DESTDIR$SCAN_DIR/50-tagcache.ini"
    say "removed from PHP $VERSION"
    ;;
*) die "usage: scripts/install.sh install|uninstall [nts|zts]" ;;
esac
