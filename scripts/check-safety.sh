#!/usr/bin/env bash
# Fails if docs/safety.md names a test or a script that does not exist, or has a hazard without one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=0
# shellcheck disable=SC2016 # the backticks are those of the page
while read -r name; do
    case "$name" in
    scripts/*) [ -x "$name" ] && continue ;;
    *.phpt) [ -f "tests/$name" ] && continue ;;
    *) grep -rqE "fn $name\(" crates src && continue ;;
    esac
    printf 'docs/safety.md names "%s", which does not exist\n' "$name" >&2
    missing=1
done < <(awk -F'|' '/^## What the reports/ { exit } /^\|/ { print $4 }' docs/safety.md |
    grep -oE '`[a-z0-9_./-]+`' | tr -d '`' | grep -vE '^(compile_fail|make)$' | sort -u)
awk -F'|' '
    /^## What the reports/ { exit }
    /^\| / && $2 !~ /^ *hazard *$/ && $4 !~ /`/ { print "docs/safety.md: no test for:" $2; bad = 1 }
    END { exit bad }' docs/safety.md >&2 || missing=1
exit "$missing"
