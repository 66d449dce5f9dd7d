#!/usr/bin/env bash
# Tests of the scripts that have logic of their own: where sources come from when the mirror has lost
# some, and what scripts/test.sh and scripts/check.sh say of it. A directory plays the mirror, for apt
# itself; what stands in it as PHP is a few lines of shell. Takes some seconds and no network.
#
#   scripts/scripts-test.sh
#
# The last line is "scripts: N passed, N failed, 0 skipped".
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need apt-get make xz
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
PASSED=0 FAILED=0
RELEASE="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)"
MIRROR="$WORK/mirror"
export TAGCACHE_CACHE="$WORK/cache" TAGCACHE_PROGRESS=1 APT_CONFIG="$WORK/apt.conf"
unset TAGCACHE_PHP_SRC CI

# try WHAT COMMAND...: counts, and shows what the last script said if it failed.
try() {
    local what="$1"
    shift
    if "$@"; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        printf 'FAILED: %s\n' "$what"
        sed 's/^/    /' "$WORK/said"
    fi
}

# run COMMAND...: its output goes to the file `said`, its exit code to STATUS.
run() {
    STATUS=0
    "$@" >"$WORK/said" 2>&1 </dev/null || STATUS=$?
}
says() { grep -qE -- "$1" "$WORK/said"; }
silent_on() { ! says "$1"; }
ended() { [ "$STATUS" = "$1" ]; }
failed() { [ "$STATUS" != 0 ]; }

# The mirror: no Release file, no signatures, suites that are not there at all.
printf 'deb file:%s %s main\n' "$MIRROR" "$RELEASE" >"$WORK/sources.list"
cat >"$WORK/apt.conf" <<END
Dir::Etc::sourcelist "$WORK/sources.list";
Dir::Etc::sourceparts "-";
Acquire::AllowInsecureRepositories "true";
APT::Get::AllowUnauthenticated "true";
END

# forget: an empty mirror and an empty cache.
forget() {
    local suite arch
    arch="$(dpkg --print-architecture)"
    rm -rf "$MIRROR" "$TAGCACHE_CACHE"
    mkdir -p "$MIRROR/pool"
    for suite in "$RELEASE" trixie; do
        mkdir -p "$MIRROR/dists/$suite/main/binary-$arch"
        : >"$MIRROR/dists/$suite/main/binary-$arch/Packages"
    done
}

# offer SUITE PACKAGE VERSION [TREE]: lists a source package; without TREE the mirror has lost it.
offer() {
    local suite="$1" package="$2" version="$3" tree="${4:-}" upstream file sum size
    upstream="${version#*:}"
    file="${package}_${upstream%-*}.orig.tar.xz"
    sum="$(printf '%064d' 0)" size=1
    if [ -n "$tree" ]; then
        (cd "$tree" && tar -cJf "$MIRROR/pool/$file" -- *)
        sum="$(sha256sum <"$MIRROR/pool/$file" | cut -d ' ' -f 1)"
        size="$(stat -c %s "$MIRROR/pool/$file")"
    fi
    mkdir -p "$MIRROR/dists/$suite/main/source"
    printf '%s\n' "Package: $package" "Binary: $package" "Version: $version" 'Architecture: any' \
        'Format: 3.0 (quilt)' 'Directory: pool' 'Checksums-Sha256:' \
        " $(printf '%064d' 0) 1 ${package}_$upstream.dsc" " $sum $size $file" '' \
        >>"$MIRROR/dists/$suite/main/source/Sources"
}

# Something that configures, compiles and installs as PHP does, and something that does not.
mkdir -p "$WORK/good/php" "$WORK/broken/php" "$WORK/serializer/x" "$WORK/nothing"
: >"$WORK/serializer/x/config.m4"
: >"$WORK/nothing/readme"
printf '#!/bin/sh\necho no such compiler\nexit 1\n' >"$WORK/broken/php/configure"
cat >"$WORK/good/php/configure" <<'END'
#!/bin/sh
for option; do
    case "$option" in --prefix=*) prefix="${option#*=}" ;; esac
done
printf '#!/bin/sh\nexit 0\n' >php
printf '#!/bin/sh\ncase "$1" in --extension-dir) echo %s/ext-1 ;; *) echo 8.0.0 ;; esac\n' "$prefix" >php-config
cat >phpize <<'SCRIPT'
#!/bin/sh
printf '#!/bin/sh\n' >configure
chmod +x configure
printf 'all:\n\tmkdir -p modules && touch modules/igbinary.so modules/msgpack.so\n' >Makefile
SCRIPT
chmod +x php php-config phpize
cat >Makefile <<MAKE
all: a.lo b.lo
	mkdir -p libs && touch libs/libphp.so
%.lo:
	: --mode=compile && sleep 1.2 && touch \$@
install-cli:
	mkdir -p \$(INSTALL_ROOT)$prefix/bin \$(INSTALL_ROOT)$prefix/lib
	cp php php-config phpize \$(INSTALL_ROOT)$prefix/bin/
install-build install-headers install-programs install-modules:
MAKE
END
chmod +x "$WORK"/{good,broken}/php/configure
readonly GOOD="$WORK/good" BROKEN="$WORK/broken" SERIALIZER="$WORK/serializer"
php() { "$ROOT/scripts/build-php.sh" "$@"; }

# A mirror that lists two of PHP 8.4 and has none that compiles, and the release's own.
forget
offer trixie php8.4 8.4.28-1~deb13u1
offer sid php8.4 8.4.30-1 "$BROKEN"
offer "$RELEASE" php8.2 8.2.36-1~deb12u1
offer "$RELEASE" php8.2 8.2.32-1~deb12u1 "$GOOD"
offer trixie php-igbinary 3.2.16-4 "$WORK/nothing"
offer "$RELEASE" php-igbinary 3.2.13-1 "$SERIALIZER"
offer trixie php-msgpack 1:3.0.0-1
offer "$RELEASE" php-msgpack 1:2.2.0~rc2-3 "$SERIALIZER"

run php --sources
try 'sources: what is missing further up is no error' ended 0
try 'sources: says which source it would be' says 'sources: php8\.4 8\.4\.30-1 can be had'
try 'sources: notes the version that is wanted and not listed' says 'note: sources: .*php8\.4 8\.4\.24: not listed'
try 'sources: notes bytes that are not those that we know' says 'php-igbinary 3\.2\.16-4: .*sha256 differs'
try 'sources: notes what is listed and lost' says 'php-msgpack 1:3\.0\.0-1: File not found'

run "$ROOT/scripts/frameworks.sh" --sources
try 'sources: without libraries of Debian 13 the adapters have those of Debian 12' ended 0
try 'and that is said' says "note: sources: Debian 13's libraries are not to be had: .*: no version is listed"

run php --path
try '--path fails before anything is built' ended 1
run php
try 'a source that does not compile is not the last' ended 0
try 'PHP of the running release is built in its place' says '/php-zts-8\.2\.32-[0-9a-f]+$'
try 'compiling shows progress' says 'compiled [0-2] of 2 objects'
try 'says why it is not 8.4: not listed' says 'note: zts is PHP 8\.2\.32, as php8\.4 was not to be had: php8\.4 8\.4\.24: not listed'
try 'says why it is not 8.4: does not build' says 'note: .*php8\.4 8\.4\.30-1: does not pass configure'
try 'says why it is not 8.4: lost' says 'note: .*php8\.4 8\.4\.28-1~deb13u1: File not found'
try 'says which igbinary it is' says 'note: igbinary is 3\.2\.13: .*3\.2\.16-4: .*sha256 differs'
try 'says which msgpack it is' says 'note: msgpack is 2\.2\.0~rc2: .*3\.0\.0-1: File not found'
try 'nothing half done is left' test -z "$(find "$TAGCACHE_CACHE" -name 'php-build.*')"
run php
try 'a second time it is there, with its notes' says 'note: zts is PHP 8\.2\.32'
try 'and is not built again' silent_on 'building'
run php zts-8.2
try 'as zts-8.2 it is what was asked for' silent_on 'note: zts'
run php nts-8.4
try 'without any 8.4 there is no nts-8.4' failed
try 'and all that was tried is named' says 'error: no source of PHP for nts-8\.4: .*8\.4\.30-1: does not pass configure'

# The release's own PHP that was built for itself does not stand in for 8.4.
forget
offer "$RELEASE" php8.2 8.2.32-1~deb12u1 "$GOOD"
offer trixie php-igbinary 3.2.17-1 "$SERIALIZER"
offer trixie php-msgpack 1:3.0.1-1 "$SERIALIZER"
run php zts-8.2
try 'zts-8.2 is built' ended 0
run php --path zts
try 'zts-8.2 is not taken for zts' ended 1
offer testing php8.4 8.4.31-1 "$GOOD"
run php
try 'any 8.4 of any suite comes before it' says '/php-zts-8\.4\.31-[0-9a-f]+$'
try 'and needs no excuse' silent_on 'note: zts'

# Without a source of something that is needed.
rm "$MIRROR"/pool/php8.*
run php --sources
try 'sources: no PHP at all is an error' failed
try 'sources: says so' says 'error: sources: the mirror has none of php8\.4 php8\.2: '
try 'sources: and looks at the others all the same' says 'php-msgpack 1:3\.0\.1-1 can be had'
offer "$RELEASE" php8.2 8.2.40-1 "$GOOD"
rm "$MIRROR"/pool/php-msgpack*
run php --sources
try 'sources: no serializer is an error' failed
try 'sources: says which' says 'error: sources: the mirror has none of php-msgpack: '

forget
TAGCACHE_PHP_SRC="$WORK/absent" run php
try 'TAGCACHE_PHP_SRC that does not exist' says "error: TAGCACHE_PHP_SRC: there is no '.*/absent'"
: >"$WORK/php8.4_8.4.24.orig.tar.xz"
TAGCACHE_PHP_SRC="$WORK" run php
try 'TAGCACHE_PHP_SRC with other bytes' says 'error: TAGCACHE_PHP_SRC: .*sha256 differs'
run php zts-9
try 'a flavour that there is not' says "'zts-9' is none of zts, zts-debug, zts-8\.2, nts-8\.4"

# What scripts/test.sh makes of its stages: a copy of it in which every other script is a stand-in.
TREE="$WORK/tree"
mkdir -p "$TREE/scripts" "$TREE/bin"
for script in "$ROOT"/scripts/*.sh; do
    printf '#!/bin/sh\n' >"$TREE/scripts/$(basename "$script")"
done
cp "$ROOT/scripts/lib.sh" "$TREE/scripts/"
sed -E 's/^(stage fmt may) [0-9]+/\1 1/' "$ROOT/scripts/test.sh" >"$TREE/scripts/test.sh"
# shellcheck disable=SC2016 # the stand-ins'
{
    printf '[ "$1" != --path ] || exit 1\n'
    printf 'echo "[   1s] note: something is not the first choice" >&2\n'
} >>"$TREE/scripts/build-php.sh"
# shellcheck disable=SC2016
printf 'case $1 in fmt) sleep 2.1 ;; mutants) exit 1 ;; esac\n' >>"$TREE/scripts/check.sh"
# shellcheck disable=SC2016
printf 'echo "phpt $1: 5 passed, 0 failed, 1 skipped"\n' >>"$TREE/scripts/phpt.sh"
printf '#!/bin/sh\n' >"$TREE/bin/cargo"
chmod +x "$TREE"/scripts/*.sh "$TREE/bin/cargo"
run env PATH="$TREE/bin:$PATH" "$TREE/scripts/test.sh"
try 'a stage that fails fails the run' failed
try 'the table: a stage in its budget' says '^shell            ok      [0-9]+s +[0-9]+s *$'
try 'the table: a stage over its budget' says '^fmt              ok      [23]s +1s +over$'
try 'the table: a stage that failed' says '^mutants-apply    FAILED '
try 'the table: the whole, from a fresh clone' says '^total  .* 45m 00s *$'
try 'what is over its budget is named' says '^warning: over budget: fmt$'
try 'which PHPs' says '^PHP: nts 8\.[0-9.]+(-[^ ]*)? zts missing$'
try 'notes are repeated at the end' says '^note: something is not the first choice$'
try 'counts' says '^tests: 10 passed, 0 failed, 2 skipped$'
run env PATH="$TREE/bin:$PATH" "$TREE/scripts/test.sh" shell fmt
try 'over its budget is no failure' ended 0
# shellcheck disable=SC2016 # awk's
try 'all budgets fit into the whole' awk '
    /^WARM=/ { split($1, warm, "="); split($2, cold, "=") }
    /^stage / { sum += $4; if ($4 !~ /^[0-9]+$/) bad = 1 }
    END { exit bad || sum < 600 || sum > cold[2] || cold[2] > 2700 || warm[2] > 1800 }' "$ROOT/scripts/test.sh"

# What is a check here is a check everywhere.
mkdir "$WORK/bin"
ln -s /usr/bin/* "$WORK/bin/"
rm -f "$WORK/bin/shellcheck"
PATH="$WORK/bin" run "$ROOT/scripts/check.sh" shell
try 'without shellcheck there is no check of the shell' failed
try 'and what to do is said' says "'shellcheck' is missing: run 'make setup'"

# Skips by version.
mkdir -p "$WORK/verdict/tests"
: >"$WORK/verdict/tests/a.phpt"
printf 'SKIPPED\t%s/verdict/tests/a.phpt\nPASSED\tb\n' "$WORK" >"$WORK/results"
find_php nts
verdict() {
    printf 'a.phpt %s * why\n' "$1" >"$WORK/verdict/tests/skips.txt"
    run "$PHP" -n "$ROOT/scripts/phpt-verdict.php" nts own "$WORK/verdict" "$WORK/results"
}
verdict '<99.0'
try 'a skip before a version' says '^phpt nts: 1 passed, 0 failed, 1 skipped$'
verdict '<5.3'
try 'not from it on' says '^phpt nts: 1 passed, 1 failed, 0 skipped$'
verdict nts
try 'a skip for NTS' ended 0
verdict zts
try 'not for ZTS' failed
verdict '8.2'
try 'a column that means nothing' says 'want "path nts\|zts\|<VERSION'

printf 'scripts: %d passed, %d failed, 0 skipped\n' "$PASSED" "$FAILED"
[ "$FAILED" = 0 ]
