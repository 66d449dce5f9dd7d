# shellcheck shell=bash
# An Apache of our own in a temporary directory, for the scripts that put load on it. Source it
# after lib.sh; it starts nothing. Debian's own Apache and its configuration are not touched.

# apache_prepare LIBPHP EXTENSION: makes LOAD_DIR with pages and php.ini, readable for the user
# that Apache serves as. The caller writes settings.php (apache_settings) and removes LOAD_DIR.
apache_prepare() {
    APACHE="$(command -v apache2 || echo /usr/sbin/apache2)"
    [ -x "$APACHE" ] || die "no apache2: run 'make setup'"
    LOAD_LIBPHP="$1"
    LOAD_DIR="$(mktemp -d)"
    LOAD_MODULES=/usr/lib/apache2/modules
    LOAD_MAX_CONNECTIONS="${LOAD_MAX_CONNECTIONS:-0}"
    LOAD_CHILDREN="${LOAD_CHILDREN:-1}"
    LOAD_PORT=
    export LOAD_LIBPHP LOAD_DIR LOAD_MODULES LOAD_MAX_CONNECTIONS LOAD_CHILDREN LOAD_PORT
    LOAD_APACHE_PID=
    chmod 755 "$LOAD_DIR"
    mkdir "$LOAD_DIR/htdocs"
    cp "$ROOT"/tests/apache/*.php "$LOAD_DIR/htdocs/"
    cp "$ROOT"/tests/apache/{php.ini,httpd.conf} "$LOAD_DIR/"
    # The user that Apache serves as may not be allowed to read the checkout.
    cp "$2" "$LOAD_DIR/tagcache.so"
    printf 'extension=%s\n' "$LOAD_DIR/tagcache.so" >>"$LOAD_DIR/php.ini"
    local file
    for file in wrong lost errors ledger; do
        : >"$LOAD_DIR/$file.txt"
    done
    if [ "$(id -u)" = 0 ]; then
        chown www-data: "$LOAD_DIR"/{wrong,lost,errors,ledger}.txt
    fi
}

# apache_settings PHP-EXPRESSION: writes the settings of the pages (tests/apache/inc.php).
apache_settings() {
    printf "<?php\nreturn %s;\n" "$1" >"$LOAD_DIR/htdocs/settings.php"
}

# apache_start [APACHE ARGUMENT...]: starts it in the foreground of a job of ours, on a free port,
# and waits until stats.php answers. A port that was free a moment ago can be taken when Apache
# comes to it: tries a few. APACHE_UNDER is a command to run it under; APACHE_PATIENCE how many
# seconds it may take to answer.
apache_start() {
    local attempt i arguments=(-f "$LOAD_DIR/httpd.conf" "$@")
    [ "$(id -u)" != 0 ] || arguments+=(-D AsRoot)
    for attempt in 1 2 3; do
        LOAD_PORT="$(free_port)"
        # A session of its own: prefork ends its whole process group when it is told to stop.
        setsid "${APACHE_UNDER[@]}" "$APACHE" "${arguments[@]}" >"$LOAD_DIR/apache.out" 2>&1 &
        LOAD_APACHE_PID=$!
        for ((i = 0; i < ${APACHE_PATIENCE:-10} * 20; i++)); do
            if apache_page stats.php >"$LOAD_DIR/before.json" 2>"$LOAD_DIR/curl.err"; then
                return 0
            fi
            kill -0 "$LOAD_APACHE_PID" 2>/dev/null || break
            sleep 0.05
        done
        say "Apache did not answer (attempt $attempt)"
        apache_stop
    done
    cat "$LOAD_DIR/apache.out" "$LOAD_DIR/curl.err" >&2
    cat "$LOAD_DIR/error.log" >&2 2>/dev/null || true
    die "Apache could not be started"
}
APACHE_UNDER=()

apache_stop() {
    [ -n "${LOAD_APACHE_PID:-}" ] || return 0
    kill -TERM "$LOAD_APACHE_PID" 2>/dev/null || true
    wait "$LOAD_APACHE_PID" 2>/dev/null || true
    LOAD_APACHE_PID=
}

# apache_page PAGE: fetches a page.
apache_page() {
    curl -fsS --max-time 60 "http://127.0.0.1:$LOAD_PORT/$1"
}

# apache_page_of_any PAGE: as apache_page, for after a load: a child that has reached its limit, or is told to end, closes a
# connection that it has accepted already without an answer, so it asks again. Who crashes is in Apache's log.
apache_page_of_any() {
    local try
    for ((try = 0; try < 5; try++)); do
        apache_page "$1" && return 0
        sleep 0.2
    done
    return 1
}

# apache_children: the processes that serve.
apache_children() {
    cat "/proc/$LOAD_APACHE_PID/task/$LOAD_APACHE_PID/children" 2>/dev/null || true
}

# apache_crashes: how many lines of the error log tell of one, as a dying child and our own
# library report it.
apache_crashes() {
    grep -cE 'exit signal|Segmentation fault|core dumped|panicked|AH00545|AH00051|AH00052|AH00046|tagcache: ' \
        "$LOAD_DIR/error.log" || true
}

# counted NAME: the number that the Lua script of wrk printed under that name.
counted() {
    sed -n "s/^$1=//p" "$LOAD_DIR/wrk.out"
}

# json_of FILE NAME...: the element of a JSON file of LOAD_DIR at that path; a list as "name value".
json_of() {
    # shellcheck disable=SC2016 # PHP's variables
    "$PHP" -n -r '
        $value = json_decode(file_get_contents($argv[1]), true);
        foreach (array_slice($argv, 2) as $name) {
            $value = $value[$name] ?? 0;
        }
        foreach (is_array($value) ? $value : [] as $name => $one) {
            echo $name, " ", is_scalar($one) ? $one : json_encode($one), "  ";
        }
        echo is_array($value) ? "" : $value, "\n";' -- "$LOAD_DIR/$1" "${@:2}"
}

# must NAME VALUE WANTED: adds a line to FAILURES if the two differ.
FAILURES=()
must() {
    [ "$2" = "$3" ] || FAILURES+=("$1 is $2, must be $3")
}
