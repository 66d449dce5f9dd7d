# shellcheck shell=bash
# What comes from Debian's mirror and is not installed: source packages of any suite, unpacked
# packages of Debian 13. Source it after lib.sh; it starts nothing.
#
# A mirror lists what it dropped, and drops what we would like best. So everything is asked for as a
# chain: the version that we want, the others that are listed, and last what the running release
# ships. What was tried in vain is in REFUSED, a line each, with what the mirror said.

# private_apt: an apt state of our own in the cache, with the sources of every suite that may have
# them and with Debian 13's packages, from the mirrors in this machine's settings: its own lists are
# left alone, and no host name stands in this repository. Sets APT_OPTIONS.
private_apt() {
    local dir archive security codename suite
    local signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    dir="$(cache_dir)/apt"
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts"
    codename="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)"
    archive="$(mirror_of "$codename")"
    security="$(mirror_of "$codename-security")"
    [ -n "$archive" ] || die "no Debian mirror in /etc/apt"
    APT_OPTIONS=(
        -o "Dir::Etc::sourcelist=$dir/sources.list" -o "Dir::Etc::sourceparts=$dir/parts"
        -o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o Acquire::GzipIndexes=true
        -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin
        -o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::http::Timeout=30
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    )
    # A suite that the mirror lacks is no reason to stop: what counts is what is found.
    (
        flock 7
        {
            for suite in trixie trixie-updates trixie-backports testing sid "$codename" \
                "$codename-updates" "$codename-backports"; do
                printf 'deb-src %s %s %s main\n' "$signed" "$archive" "$suite"
            done
            printf 'deb %s %s trixie main\n' "$signed" "$archive"
            for suite in trixie-security "$codename-security"; do
                [ -z "$security" ] || printf 'deb-src %s %s %s main\n' "$signed" "$security" "$suite"
            done
        } | sort -u >"$dir/sources.list"
        apt-get "${APT_OPTIONS[@]}" update >"$dir/update.log" 2>&1 || true
    ) 7>"$dir/lock"
}

# mirror_of SUITE: the first URI that /etc/apt has for it. Needs no lists.
mirror_of() {
    apt-get --print-uris update 2>/dev/null |
        awk -F"'" -v end="/dists/$1/InRelease" '
            substr($2, length($2) - length(end) + 1) == end && !seen++ {
                print substr($2, 1, length($2) - length(end)) }' || true
}

# try_sources DIR WANTED TAKE PACKAGE...: fetches the upstream tarball of one source after the other
# into DIR until the command TAKE takes one: the wanted version of the first package, its others,
# newest first, then those of the next package. TAKE finds SOURCE (package and version), SOURCE_VERSION
# (without epoch and Debian's revision) and TARBALL, and says in WHY what was wrong with it. Debian's
# own files of a package are not needed, so it doesn't matter if the mirror lacks them.
try_sources() {
    local dir="$1" wanted="$2" take="$3" package version versions log="$1/fetch.log"
    shift 3
    REFUSED=()
    for package in "$@"; do
        versions="$(apt-cache "${APT_OPTIONS[@]}" showsrc --only-source "$package" 2>/dev/null |
            awk '$1 == "Version:" { print $2 }' | sort -urV || true)"
        if [ -z "$versions" ]; then
            REFUSED+=("$package: no version is listed")
        elif [ -n "$wanted" ] && ! grep -qE -- "^([0-9]+:)?$wanted-" <<<"$versions"; then
            REFUSED+=("$package $wanted: not listed")
        fi
        for version in $(grep -E -- "^([0-9]+:)?$wanted-" <<<"$versions" || true) \
            $(grep -vE -- "^([0-9]+:)?$wanted-" <<<"$versions" || true); do
            SOURCE="$package $version"
            SOURCE_VERSION="${version#*:}"
            SOURCE_VERSION="${SOURCE_VERSION%-*}"
            (cd "$dir" && apt-get "${APT_OPTIONS[@]}" source --download-only --only-source \
                "$package=$version") >"$log" 2>&1 || true
            TARBALL="$(find "$dir" -maxdepth 1 -name "${package}_$SOURCE_VERSION.orig.tar.*" \
                ! -name '*.asc' | head -n 1)"
            if [ -z "$TARBALL" ]; then
                WHY="$(what_apt_said "$log")"
            elif "$take"; then
                return 0
            fi
            REFUSED+=("$SOURCE: $WHY")
            say "$SOURCE: $WHY; trying the next one"
        done
        wanted=''
    done
    return 1
}

# what_apt_said LOG: why a tarball or package could not be fetched, without addresses.
what_apt_said() {
    local said
    said="$(sed -nE 's/^E: Failed to fetch [^ ]*\.(orig\.tar\.[a-z0-9]+|deb) +(.*)/\2/p' "$1" |
        awk '!seen++' | sed -E 's/ *\[IP:.*//; s/^File not found - [^ ]*/File not found/' | tr -s ' ')"
    printf '%s\n' "${said:-$(awk '/^E: / { last = $0 } END { print last ? last : "not fetched" }' "$1")}"
}

# refused: what try_sources tried in vain, in one line.
refused() {
    local IFS=';' all
    all="${REFUSED[*]}"
    printf '%s\n' "${all//;/; }"
}

# download_packages DIR PACKAGE...: fetches packages into DIR by apt with APT_OPTIONS (none: this
# machine's own apt), each in the version that apt likes best or in another that the mirror has.
download_packages() {
    local dir="$1" package version log="$1/fetch.log"
    shift
    REFUSED=()
    (cd "$dir" && apt-get "${APT_OPTIONS[@]}" download "$@") >"$log" 2>&1 && return 0
    for package in "$@"; do
        # apt fetches what it can before it fails.
        ! compgen -G "$dir/${package}_*.deb" >/dev/null || continue
        for version in $(apt-cache "${APT_OPTIONS[@]}" madison "$package" 2>/dev/null |
            awk -F' *[|] *' '{ print $2 }' | sort -urV || true); do
            (cd "$dir" && apt-get "${APT_OPTIONS[@]}" download "$package=$version") >"$log" 2>&1 && continue 2
            REFUSED+=("$package $version: $(what_apt_said "$log")")
        done
        [ "${#REFUSED[@]}" -gt 0 ] || REFUSED+=("$package: no version is listed")
        return 1
    done
}
APT_OPTIONS=()
