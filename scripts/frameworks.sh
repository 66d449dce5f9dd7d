#!/usr/bin/env bash
# Runs the tests of php/, the public suites among them, against a tagcached of our own.
#
#   scripts/frameworks.sh FLAVOUR [--profile release|quick] [--symfony DIR]
#   scripts/frameworks.sh --sources    whether the mirror has Debian 13's: fetches and discards them
#
# Twice, at the same time: with the libraries of Debian 12 (psr/cache 1, Symfony 5.4, Laravel 8),
# which are installed if they are missing, and with those of Debian 13 (psr/cache 3, Symfony 6.4,
# Laravel 10), which are unpacked into the cache directory and touch nothing of the system. If the
# mirror has not all of those, a line "note: ..." says so, and the first run has to do.
#
# With --symfony also our own tests of the Symfony adapter, kernel included, with the Symfony in DIR: a
# project of Composer (DIR/vendor/autoload.php; symfony/cache, symfony/framework-bundle, symfony/yaml and
# psr/log are needed) or libraries in Debian's layout. Without, a line says that this was skipped.
#
# Prints a line for each suite and last "frameworks FLAVOUR: N passed, N failed, N skipped".
# Fails on any failure, and on a skip that docs/frameworks.md does not list with its reason.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/apt-source.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt-source.sh"

FLAVOUR="${1:-}"
[ "$FLAVOUR" = --sources ] || find_php "$FLAVOUR"
shift
PROFILE_ARGUMENTS=()
SYMFONY=
while [ $# -gt 0 ]; do
    case "$1" in
        --profile) PROFILE_ARGUMENTS=("$1" "${2:-}") ;;
        --symfony)
            SYMFONY="$(realpath -e "${2:-}")" || die "--symfony takes a directory with a copy of Symfony, '${2:-}' given"
            [ -f "$SYMFONY/vendor/autoload.php" ] || [ -f "$SYMFONY/Symfony/Component/Cache/autoload.php" ] ||
                die "--symfony: '$2' has neither vendor/autoload.php nor Symfony/Component/Cache/autoload.php"
            ;;
        *) die "usage: scripts/frameworks.sh FLAVOUR [--profile release|quick] [--symfony DIR]" ;;
    esac
    shift 2 || die "$1 takes a value"
done

readonly INSTALLED=(
    phpunit
    php-cache-integration-tests
    php-cache-tag-interop
    php-illuminate-cache
    php-illuminate-config
    php-illuminate-container
    php-psr-cache
    php-psr-simple-cache
    php-symfony-cache
    php-symfony-framework-bundle
    php-symfony-yaml
)
# Everything that those load, as nothing resolves dependencies for what is only unpacked.
readonly UNPACKED=(
    php-cache-integration-tests
    php-cache-tag-interop
    php-doctrine-inflector
    php-illuminate-cache
    php-illuminate-collections
    php-illuminate-conditionable
    php-illuminate-config
    php-illuminate-container
    php-illuminate-contracts
    php-illuminate-macroable
    php-illuminate-support
    php-nesbot-carbon
    php-psr-cache
    php-psr-clock
    php-psr-container
    php-psr-event-dispatcher
    php-psr-log
    php-psr-simple-cache
    php-symfony-cache
    php-symfony-cache-contracts
    php-symfony-config
    php-symfony-dependency-injection
    php-symfony-deprecation-contracts
    php-symfony-error-handler
    php-symfony-event-dispatcher
    php-symfony-event-dispatcher-contracts
    php-symfony-filesystem
    php-symfony-finder
    php-symfony-framework-bundle
    php-symfony-http-foundation
    php-symfony-http-kernel
    php-symfony-routing
    php-symfony-service-contracts
    php-symfony-translation
    php-symfony-translation-contracts
    php-symfony-var-dumper
    php-symfony-var-exporter
    php-symfony-yaml
    php-voku-portable-ascii
)

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Only libraries of PHP and their modules: none of them has a service that could start.
install_libraries() {
    local package missing=()
    for package in "${INSTALLED[@]}"; do
        # shellcheck disable=SC2016 # dpkg-query's own field
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
            missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root apt-get update >"$WORK/apt.log" 2>&1 || say "apt-get update failed, trying with the old lists"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >>"$WORK/apt.log" 2>&1 || {
        tail -n 20 "$WORK/apt.log" >&2
        die "apt-get install failed"
    }
}

# fetch_libraries DIR: the packages of Debian 13 in DIR. Fails if the mirror lacks one of them.
fetch_libraries() {
    private_apt
    mkdir -p "$1"
    download_packages "$1" "${UNPACKED[@]}"
}

# unpack_libraries DIR: the libraries of Debian 13 in DIR/usr/share/php, once.
unpack_libraries() {
    local directory="$1" root="$WORK/root" package
    [ ! -e "$directory/complete" ] || return 0
    say "fetching ${#UNPACKED[@]} libraries of Debian 13 into $directory"
    fetch_libraries "$WORK/deb" || {
        say "note: the adapters are tried with Debian 12's libraries only, as Debian 13's are not to be had: $(refused)"
        return 0
    }
    mkdir "$root"
    for package in "$WORK"/deb/*.deb; do
        dpkg-deb --extract "$package" "$root"
    done
    # The loaders name each other by absolute path; the libraries themselves stay as they are.
    find "$root" -name autoload.php -exec sed -i "s#'/usr/share/php/#'$directory/usr/share/php/#g" {} +
    mkdir -p "$directory"
    cp -a "$root/." "$directory/"
    : >"$directory/complete"
}

# The options of every PHP of the tests, also of those that the tests start.
php_options() {
    local module
    OPTIONS=(-n)
    if [ "$FLAVOUR" = nts ]; then
        # Built in where PHP was built by scripts/build-php.sh.
        for module in mbstring dom xml xmlwriter tokenizer ctype posix iconv; do
            OPTIONS+=(-d "extension=$module")
        done
    fi
    # PHPUnit 9.6 and these libraries are older than PHP 8.4 and full of what it deprecates.
    OPTIONS+=(-d error_reporting=8191 -d "include_path=.:/usr/share/php" -d "extension=$EXTENSION")
    # Processes::start() wants one word a line.
    TAGCACHE_TEST_PHP_OPTIONS="$(printf '%s\n' "${OPTIONS[@]}")"
    export TAGCACHE_TEST_PHP_OPTIONS
}

# What PHP deprecates in our own files, the tests would hide.
lint() {
    local file output
    while IFS= read -r file; do
        output="$("$PHP" -n -d error_reporting=-1 -d display_errors=1 -l "$file" 2>&1)" || true
        [[ "$output" == "No syntax errors detected in "* ]] || die "$file: $output"
    done < <(find "$ROOT/php/src" -name '*.php')
}

# suite NAME LIBS TESTS: one run of the tests, with a server of its own. Called in the background.
suite() {
    local directory="$WORK/${1// /-}"
    mkdir "$directory"
    trap 'stop_tagcached' EXIT
    start_tagcached "$BINARIES/tagcached" "$directory"
    TAGCACHE_TEST_ADDR="127.0.0.1:$TAGCACHED_PORT" TAGCACHE_TEST_LIBS="$2" TMPDIR="$directory" \
        "$PHP" "${OPTIONS[@]}" /usr/bin/phpunit --bootstrap "$ROOT/php/tests/bootstrap.php" \
        --no-configuration --do-not-cache-result --colors=never --log-junit "$directory/junit.xml" \
        "$3" </dev/null >"$directory/output" 2>&1 || true
    kill -0 "$TAGCACHED_PID" || echo "the tagcached of this run died" >>"$directory/died"
}

# verdict NAME [SUITE]: what came of it; with SUITE, only that one was run.
verdict() {
    local directory="$WORK/${1// /-}"
    if ! "$PHP" "${OPTIONS[@]}" "$ROOT/php/tests/verdict.php" "$1" "$directory/junit.xml" \
        "$ROOT/docs/frameworks.md" "${@:2}" >>"$WORK/lines" || [ -e "$directory/died" ]; then
        cat "$directory/output" "$directory/tagcached.log" >&2
        FAILED=1
    fi
}

WORK="$(mktemp -d)"
PIDS=()
trap 'kill "${PIDS[@]}" 2>/dev/null || true; wait; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
FAILED=0
: >"$WORK/lines"

if [ "$FLAVOUR" = --sources ]; then
    # The same tests run with the libraries of the running release, so this is no error.
    if fetch_libraries "$WORK/deb"; then
        say "sources: ${#UNPACKED[@]} libraries of Debian 13 can be had"
    else
        say "note: sources: Debian 13's libraries are not to be had: $(refused)"
    fi
    exit
fi

NEWER="$(cache_dir)/php-libraries-debian-13"
mkdir -p "$(cache_dir)"
# The two flavours may run at once, and both would install.
exec 9>"$(cache_dir)/frameworks.lock"
flock 9
install_libraries
unpack_libraries "$NEWER"
exec 9>&-

EXTENSION="$("$ROOT/scripts/build-ext.sh" "$FLAVOUR" "${PROFILE_ARGUMENTS[@]}")"
BINARIES="$("$ROOT/scripts/build-server.sh")"
php_options
lint
say "the adapters on PHP $("$PHP_CONFIG" --version) $FLAVOUR"
suite 'Debian 12' /usr/share/php "$ROOT/php/tests" &
PIDS+=("$!")
if [ -e "$NEWER/complete" ]; then
    suite 'Debian 13' "$NEWER/usr/share/php" "$ROOT/php/tests" &
    PIDS+=("$!")
fi
if [ -n "$SYMFONY" ]; then
    suite 'another Symfony' "$SYMFONY" "$ROOT/php/tests/Symfony" &
    PIDS+=("$!")
fi
wait "${PIDS[@]}" || FAILED=1
PIDS=()
verdict 'Debian 12'
[ ! -e "$NEWER/complete" ] || verdict 'Debian 13'
if [ -n "$SYMFONY" ]; then
    verdict 'another Symfony' 'own Symfony'
else
    say "skipped: own Symfony with another Symfony than Debian's (--symfony DIR)"
fi

cat "$WORK/lines"
awk -v flavour="$FLAVOUR" '
    match($0, /[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/) {
        split(substr($0, RSTART), n, /[^0-9]+/)
        passed += n[1]; failed += n[2]; skipped += n[3]
    }
    END { printf "frameworks %s: %d passed, %d failed, %d skipped\n", flavour, passed, failed, skipped }
' "$WORK/lines"
exit "$FAILED"
