# shellcheck shell=bash
# Source packages of Debian trixie, on whatever Debian this is. Source it after lib.sh.

# private_apt DIR: a private apt state in DIR with trixie's source index, from the mirrors in this
# machine's sources: its own lists are left alone, and no host name stands in this repository.
# Sets APT_OPTIONS; what update said is in DIR/update.log.
private_apt() {
    local dir="$1" archive security keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts"
    archive="$(mirror_of '')"
    security="$(mirror_of -security)"
    [ -n "$archive" ] || die "no Debian mirror in /etc/apt"
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
    # A suite that the mirror lacks is no reason to stop: what counts is whether the source is found.
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

# download_source DIR PACKAGE WANTED: leaves the upstream tarball of a source package in DIR and sets
# SOURCE_VERSION (without epoch and Debian's revision) and TARBALL. The wanted version first, then
# the others, newest first: a mirror can list what it dropped. Debian's own files of the package are
# not needed, so it doesn't matter if the mirror lacks them. Fails if there is no tarball to be had.
download_source() {
    local dir="$1" package="$2" wanted="$3" version versions log="$1/$2.log"
    versions="$(apt-cache "${APT_OPTIONS[@]}" showsrc "$package" 2>/dev/null |
        awk '$1 == "Version:" { print $2 }' | sort -urV)"
    for version in $(grep -F -- "$wanted-" <<<"$versions" || true) \
        $(grep -vF -- "$wanted-" <<<"$versions" || true); do
        (cd "$dir" && apt-get "${APT_OPTIONS[@]}" source --download-only --only-source \
            "$package=$version") >"$log" 2>&1 || true
        SOURCE_VERSION="${version%%-*}"
        SOURCE_VERSION="${SOURCE_VERSION#*:}"
        for TARBALL in "$dir/${package}_$SOURCE_VERSION.orig.tar."*; do
            [ -f "$TARBALL" ] && return 0
        done
        say "$package $version could not be fetched, trying the next one"
    done
    tail -n 5 "$log" >&2 2>/dev/null || true
    return 1
}
