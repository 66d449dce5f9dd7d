#!/usr/bin/env bash
# From a fresh Debian 12 with Rust to a running example: installs what is missing, builds the
# server and the extension for Debian's PHP 8.2, starts the server on a free port, runs
# php/examples/quickstart.php against it, stops it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

STARTED="$(date +%s)"
if [ ! -d "$ROOT/target/release" ]; then
    say "first run: about 2 minutes on 2 cores, most of it compiling; later runs take seconds"
fi
"$ROOT/scripts/setup.sh" demo
BINARIES="$("$ROOT/scripts/build-server.sh")"
EXTENSION="$("$ROOT/scripts/build-ext.sh" nts)"
find_php nts

WORK="$(mktemp -d)"
trap 'stop_tagcached; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
start_tagcached "$BINARIES/tagcached" "$WORK"
say "tagcached listens on 127.0.0.1:$TAGCACHED_PORT; running php/examples/quickstart.php"
TAGCACHE_DSN="tagcache://127.0.0.1:$TAGCACHED_PORT?pool_size=8" \
    "$PHP" -n -d "extension=$EXTENSION" "$ROOT/php/examples/quickstart.php"
stop_tagcached
echo
say "done in $(duration $(($(date +%s) - STARTED))), the server is stopped"
cat >&2 <<END

To use it in your own PHP:
  $BINARIES/tagcached &
  php8.2 -d extension=$EXTENSION your-script.php
END
