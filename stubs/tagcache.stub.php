<?php

/**
 * The PHP API of the extension `tagcache`, for people, editors and static analysers.
 *
 * This file is never executed. A test compares it with what Reflection says of the loaded
 * extension, so names, types and defaults of arguments are those of the binary.
 *
 * Some rules hold everywhere:
 *
 *  - A key is 1 or more bytes of valid UTF-8 without TAB, CR, LF or NUL, and without a comma that
 *    has the option `prefix` behind it. A tag is the same, and holds no comma and has no white
 *    space at its ends. Anything else is refused before a byte is sent, with
 *    TagCache\InvalidArgumentException.
 *  - A list of keys or tags is refused if it has a string key; the numbers of its elements do not
 *    matter.
 *  - A time to live is in milliseconds, 1 or more; null means none.
 *  - Tags and time to live are best given by name (`tags: [...], ttl_ms: 60_000`): set(), add() and
 *    remember() take the tags first, mSet(), mAdd() and increment() the time to live.
 *  - Every call ends within the option `timeout_ms` (5000), whatever server or network do;
 *    remember() and sessions make several.
 */

namespace {

    /**
     * A handle to a TagCache server.
     *
     * A handle owns no connection. It refers to a pool that all threads and requests of the
     * process share, in which every command borrows one connection for itself alone and gives
     * it back before the call returns. Handles with the same server, pool size and connection
     * options share a pool; timeouts and the serializer belong to the handle.
     *
     * Making a handle opens no connection: a server that is absent shows at the first command,
     * and when it is back the next command finds it.
     *
     * Handles can neither be cloned nor serialized. The class may be extended; a subclass with
     * its own constructor has to call parent::__construct(), else every method throws
     * TagCache\ClosedException.
     */
    class TagCache
    {
        /** Version of the extension, as phpversion('tagcache') gives it. */
        public const VERSION = "0.1.0";

        /**
         * Same as `new static($options)`, in one expression: a subclass gets its own kind, and its
         * constructor is called if it has one.
         *
         * @param array<string, mixed>|string|null $options see __construct()
         * @throws \TagCache\InvalidArgumentException
         */
        public static function create(array|string|null $options = null): static {}

        /**
         * Makes a handle from an array of options, from a DSN, or from the INI settings alone.
         *
         * A DSN is `tagcache://host:port?pool_size=8&timeout_ms=100` or
         * `unix:///run/tagcache.sock?timeout_ms=100`; IPv6 goes in brackets. What is not given
         * comes from the INI setting `tagcache.<option>`. All options with their ranges:
         *
         *  - `mode` "tcp" (the only one), `host` "127.0.0.1", `port` 1984, `path` "" (a Unix
         *    socket, instead of host and port)
         *  - `timeout_ms` 5000: the whole call, with the wait for a connection and connecting;
         *    `acquire_timeout_ms` 5000 and `connect_timeout_ms` 3000 are limits within it
         *  - `connect_backoff_ms` 2000: how long calls fail at once, at most, when connecting has failed,
         *    before one tries again; 0: each call that needs a connection connects
         *  - `pool_size` 8: connections of the pool at most; `min_idle` 0: kept open when idle;
         *    `idle_timeout_ms` 60000 and `max_lifetime_ms` 1800000, 0 = no limit
         *  - `probe_after_ms` 0: a connection idle for longer is looked at before use
         *  - `max_reply_bytes` 67108864: a longer reply is an error
         *  - `max_call_bytes` 67108864: what the replies of a call hold of memory at one time
         *  - `enable_keep_alive` true, `keep_alive_idle` 60, `keep_alive_interval` 10 (seconds),
         *    `keep_alive_count` 3: TCP keep-alive
         *  - `serializer` "php", "igbinary", "msgpack", "json" or "native" (scalars only): how
         *    arrays and objects are stored; every handle reads what any of them wrote
         *  - `unserialize_allowed_classes` true: true, false or a list of class names
         *  - `prefix` "": goes before every key and tag, and bounds flush()
         *  - `compression` "none", "lz4" or "zstd", `compression_threshold` 2048 bytes,
         *    `compression_level` 0 (zstd, 1 to 19), `max_decompressed_bytes` 67108864
         *  - `pipeline_depth`, `enable_pipelining`, `enable_async_io`, `http_base`: known from
         *    the old extension, without effect, deprecated
         *
         * An unknown option, a wrong type or a value out of range throws, and the message names
         * the option that was probably meant or the range.
         *
         * Called again on the same object, it makes the handle anew with the new options.
         *
         * @param array<string, mixed>|string|null $options
         * @throws \TagCache\InvalidArgumentException
         */
        public function __construct(array|string|null $options = null) {}

        /**
         * Stores a value, replaces value, tags and time to live of the key if it exists.
         *
         * Null, booleans, integers, floats, strings of any bytes, arrays and objects that PHP
         * can serialize come back identical in type and content. Resources and closures are
         * refused with TagCache\SerializationException, and nothing is written.
         *
         * @param string[] $tags the entry goes when any of them is invalidated
         * @param int|null $ttl_ms 1 or more; null = lives until evicted, deleted or invalidated
         * @return bool true
         * @throws \TagCache\Exception
         */
        public function set(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): bool {}

        /**
         * Stores a value unless the key exists, atomically in the server.
         *
         * @param string[] $tags
         * @return bool true: stored; false: the key exists, nothing was changed
         * @throws \TagCache\Exception
         */
        public function add(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): bool {}

        /**
         * Reads a value.
         *
         * @param mixed $default what a miss gives; a stored null gives null, an error throws
         * @throws \TagCache\Exception
         */
        public function get(string $key, mixed $default = null): mixed {}

        /**
         * Reads a value; if there is none, $make makes it, and it is stored.
         *
         * One caller makes it, the others wait for it: the threads of a process by sleeping until it
         * is there, other processes and machines by a lock in the server, at most for `wait_ms`.
         * Whoever has waited that long makes it himself. No connection is held meanwhile, and $make may
         * use the cache, throw (the exception goes to the caller, and the next one makes it) or exit.
         *
         * With `$ttl_ms` some caller makes the value anew shortly before its time is over, by chance,
         * and the earlier the longer it takes to make, so that it never is missing for all at once;
         * the others go on with the old one. With `stale_ms` they do so after its time is over, too
         * (and so does get(), which finds what the server has). For this a note stands beside the value, under the key with "~note" behind it; the lock
         * is "~lock". The note counts only for the very value that was made: what others store under
         * the key is used as it is, and what they store or remove while $make runs stays.
         *
         *  - `wait_ms` 5000: how long to wait for another caller, 0-86400000
         *  - `lock_ms` 30000: when another process may go on if this one has died, 1-86400000
         *  - `stale_ms` 0: how long the old value may be used after its time, 0-86400000
         *  - `beta` 1.0: 0 = never early; more = earlier, to 1000
         *
         * If the value was made and the server or the network then fails, it is returned all the
         * same, with E_WARNING. A value that can't be serialized, a tag that is refused and a handle
         * that was closed meanwhile throw, and so does a value under the key that can't be read. If the server can't be reached to begin with, this throws
         * as get() does, and $make is not called.
         *
         * @param callable(): mixed $make
         * @param string[] $tags
         * @param array{wait_ms?: int, lock_ms?: int, stale_ms?: int, beta?: float} $options
         * @throws \TagCache\Exception
         */
        public function remember(string $key, callable $make, array $tags = [], ?int $ttl_ms = null, array $options = []): mixed {}

        /**
         * Tells whether the key exists (a stored null or false does).
         *
         * The value travels all the same, as the server has no command for this.
         *
         * @throws \TagCache\Exception
         */
        public function has(string $key): bool {}

        /**
         * Deletes a key.
         *
         * @return bool whether it existed
         * @throws \TagCache\Exception
         */
        public function delete(string $key): bool {}

        /**
         * Adds to an integer, atomically in the server; a key that is absent counts as 0.
         *
         * With `$ttl_ms` null the time to live of the key is kept but its clock is restarted:
         * a counter that is incremented more often than it expires never expires. A rate limiter
         * over a fixed window therefore puts the number of the window in the key:
         *
         *     $n = $cache->increment("hits:$ip:" . intdiv(time(), 60), 1, 120_000);
         *
         * @param string[] $tags
         * @return int the new value
         * @throws \TagCache\ServerException when the value is not an integer (one that was set as
         *     a string "5" is not: set the integer 5), or would leave 64 bits
         * @throws \TagCache\Exception
         */
        public function increment(string $key, int $by = 1, ?int $ttl_ms = null, array $tags = []): int {}

        /**
         * Subtracts from an integer; see increment().
         *
         * @param string[] $tags
         * @return int the new value
         * @throws \TagCache\Exception
         */
        public function decrement(string $key, int $by = 1, ?int $ttl_ms = null, array $tags = []): int {}

        /**
         * Removes every entry that carries the tag.
         *
         * @return int how many entries went
         * @throws \TagCache\Exception
         */
        public function invalidateTag(string $tag): int {}

        /**
         * Removes every entry that carries any ('any') or all ('all') of the tags.
         *
         * @param string[] $tags none at all removes nothing
         * @param string $mode 'any' or 'all'
         * @return int how many entries went
         * @throws \TagCache\Exception
         */
        public function invalidateTags(array $tags, string $mode = 'any'): int {}

        /**
         * Lists the keys that carry the tag, in no particular order.
         *
         * The server separates them by commas, so a key that contains one comes back in pieces,
         * unless the handle has a `prefix`. A piece may be another's key: without a prefix do not
         * delete by such a list what users have named, use invalidateTag().
         *
         * @return list<string>
         * @throws \TagCache\Exception
         */
        public function keysByTag(string $tag): array {}

        /**
         * Lists the keys that carry any of the tags, each once; see keysByTag().
         *
         * @param string[] $tags
         * @return list<string>
         * @throws \TagCache\Exception
         */
        public function searchAny(array $tags): array {}

        /**
         * Lists the keys that carry all of the tags; see keysByTag().
         *
         * @param string[] $tags
         * @return list<string>
         * @throws \TagCache\Exception
         */
        public function searchAll(array $tags): array {}

        /**
         * Reads many keys in one exchange; more than 1024 of them in several, with one time limit, so
         * that not all replies are held beside the result: some megabytes of them as long as the
         * values are of much the same size. If one of the values can't be read, this throws, and none
         * is returned; a pipeline returns the others.
         *
         * @param array<string|int> $keys
         * @return array<string|int, mixed> the found ones only, in the order asked, by key. PHP
         *     turns a key such as "5" into the integer 5, as in every array.
         * @throws \TagCache\Exception
         */
        public function mGet(array $keys): array {}

        /**
         * Stores many values in one exchange, with the same tags and time to live.
         *
         * All values are serialized and all keys checked before the first byte is sent. The exchange
         * itself is not atomic: after an exception some may have been stored. More than 8192 items or
         * a megabyte go in several exchanges, with one time limit, so that no more than that is held
         * beside the serialized forms of arrays and objects.
         *
         * @param array<string|int, mixed> $items key => value
         * @param string[] $tags
         * @return int how many were stored
         * @throws \TagCache\Exception
         */
        public function mSet(array $items, ?int $ttl_ms = null, array $tags = []): int {}

        /**
         * Stores many values in one exchange, each with its own tags and time to live.
         *
         * An item is an array with the field `value`, and with `tags` and `ttl_ms` if it has any;
         * another field throws TagCache\InvalidArgumentException, so that an item can't be taken
         * for a value or the reverse. Always one exchange; otherwise as mSet().
         *
         * @param array<string|int, array{value: mixed, tags?: string[], ttl_ms?: int|null}> $items
         * @return int how many were stored
         * @throws \TagCache\Exception
         */
        public function mSetItems(array $items): int {}

        /**
         * Stores many values in one exchange, each only if its key does not exist; otherwise as
         * mSet().
         *
         * @param array<string|int, mixed> $items key => value
         * @param string[] $tags
         * @return array<string|int, bool|\TagCache\Exception> for each key, in order: true =
         *     stored, false = it exists; an exception stands where the server refused this one,
         *     or where the connection broke before its answer: whether it was stored is not
         *     known then
         * @throws \TagCache\Exception if nothing was sent
         */
        public function mAdd(array $items, ?int $ttl_ms = null, array $tags = []): array {}

        /**
         * Deletes many keys in one exchange, thousands of them in several as mSet(): after an exception
         * some may be gone.
         *
         * @param array<string|int> $keys
         * @return int how many existed
         * @throws \TagCache\Exception
         */
        public function mDelete(array $keys): int {}

        /**
         * Makes an empty pipeline; or lets $fill fill one, executes it and returns the results. $fill
         * leaves execute() to it: within $fill that throws TagCache\InvalidArgumentException.
         *
         * @param (callable(\TagCache\Pipeline): mixed)|null $fill if it throws, nothing is sent
         * @return \TagCache\Pipeline|list<mixed>
         * @throws \TagCache\Exception
         */
        public function pipeline(?callable $fill = null): \TagCache\Pipeline|array {}

        /**
         * Makes an empty batch: commands that run while the script goes on.
         *
         * @throws \TagCache\ClosedException
         */
        public function batch(): \TagCache\Batch {}

        /**
         * Makes a handle to a room of its own: `$prefix` goes before every key and tag, behind the
         * option `prefix` if this handle has one, and everything else is as here, the pool too.
         *
         *     $psr6 = $cache->withPrefix('app/psr6:');
         *     $psr6->set('user', 1);    // the key "app/psr6:user"
         *     $psr6->flush();           // all of the room, and nothing else
         *
         * A room lies within what it was made from, and nothing leads out: flush() of this handle
         * removes what its rooms have stored, too. docs/keys.md says more.
         *
         * Of a subclass it is a copy, with its properties: no constructor is called, `__clone()` is.
         *
         * @param string $prefix what a key and a tag can begin with; not empty
         * @throws \TagCache\InvalidArgumentException
         * @throws \TagCache\ClosedException
         */
        public function withPrefix(string $prefix): static {}

        /**
         * Counters of the server.
         *
         * @return array{hits: int, misses: int, puts: int, invalidations: int, hit_ratio: float}
         * @throws \TagCache\Exception
         */
        public function stats(): array {}

        /**
         * Removes every entry of the server, whoever stored it; with the option `prefix` those
         * that were stored with the same prefix or in a room within it (see withPrefix()), and no
         * others.
         *
         * @return int how many entries went
         * @throws \TagCache\Exception
         */
        public function flush(): int {}

        /**
         * State and counters of the handle's pool in this process; asks no server.
         *
         * `size` is `pool_size`, the most connections there may be; `idle`, `in_use` and `waiters` say
         * how it is now; the rest counts since the pool
         * was made. `closed_broken`: after an error; `closed_stale`: closed by the server or
         * drained; `closed_retired`: too old or not needed. Bytes are counted when a connection
         * comes back. Times are in microseconds, an eighth too much at most: `acquire_us` waiting for a
         * connection, `round_trip_us` from then on until the last reply; `oldest_ms` is the age of
         * the oldest connection, null if there is none. `connects_skipped`: calls that failed without
         * trying to connect, as somebody just had; then `unreachable_ms` says since when the server could
         * not be reached and `next_try_ms` when a call tries again (null while one does), else both are null.
         *
         * @return array{endpoint: string, size: int, idle: int, in_use: int, waiters: int,
         *     opened: int, closed_broken: int, closed_stale: int, closed_retired: int,
         *     check_outs: int, waits: int, acquire_timeouts: int, connect_failures: int,
         *     connects_skipped: int, retries: int, bytes_sent: int, bytes_received: int,
         *     oldest_ms: ?int, unreachable_ms: ?int, next_try_ms: ?int,
         *     acquire_us: array{count: int, p50: float, p95: float, p99: float, max: float},
         *     round_trip_us: array{count: int, p50: float, p95: float, p99: float, max: float}}
         * @throws \TagCache\ClosedException
         */
        public function poolStats(): array {}

        /**
         * Ends this handle: every later call throws TagCache\ClosedException. The pool and its
         * connections stay for other handles and requests. A second close() does nothing.
         */
        public function close(): void {}

        /**
         * Closes the idle connections of every pool of this process now, and those in use as
         * they come back.
         *
         * @return int how many pools there were
         */
        public static function drain(): int {}

        /**
         * The figures of all pools of this process in the text format of Prometheus
         * (Content-Type: text/plain; version=0.0.4). Keys and tags do not occur in it.
         */
        public static function metrics(): string {}

        /**
         * Looks at the pools of this process, its last errors and its settings, asks each server for
         * a sign of life (all at once, for a second at most, beside the pools, whose figures it does
         * not change), and says what is wrong and what to do. The servers are those of the handles that
         * there are, whether they have sent anything or not, and of the pools; without either that of
         * the INI settings. What calls have met with is judged by the last minute: `ok` is what it has
         * been since, not what was once. `since` is the time (of microtime(true)) from which on it has
         * been so, within that minute to ten seconds; null where that is not known.
         *
         * A pool has the fields of poolStats() and besides `id` (as in metrics()), `answer_ms` (with
         * connecting; null: no answer), and the times as histograms, where `le_us` null is "longer".
         *
         * @return array{ok: bool, version: string, thread_safe: bool, pid: int,
         *     findings: list<array{level: 'error'|'warning'|'advice', what: string, advice: string, since: ?float}>,
         *     pools: list<array<string, mixed>>,
         *     errors: list<array{at: float, since: float, message: string, times: int}>,
         *     slow_log: array{ms: int, file: ?string}}
         */
        public static function doctor(): array {}

        /** What var_dump() shows. @return array<string, mixed> */
        public function __debugInfo(): array {}
    }

    /*
     * The functions of the old extension. They return what they returned there, and where that
     * cannot tell a failure from a miss, a failure also raises E_WARNING that says what failed.
     * A wrong type of argument throws TypeError, and what __serialize(), __unserialize() and
     * the like throw goes to the caller.
     */

    /**
     * Makes a handle; see TagCache::__construct().
     *
     * @param array<string, mixed>|null $options
     * @return TagCache|false false and E_WARNING if an option is wrong
     */
    function tagcache_create(?array $options = null): TagCache|false {}

    /**
     * Stores a value.
     *
     * @param string[] $tags
     * @param int|null $ttl_ms null, 0 or less: none
     * @return bool false and E_WARNING on failure
     */
    function tagcache_put(TagCache $handle, string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): bool {}

    /** Reads a value; null when there is none, null and E_WARNING on failure. */
    function tagcache_get(TagCache $handle, string $key): mixed {}

    /** Deletes a key; false when there is none, false and E_WARNING on failure. */
    function tagcache_delete(TagCache $handle, string $key): bool {}

    /** Removes every entry that carries the tag; how many, or 0 and E_WARNING on failure. */
    function tagcache_invalidate_tag(TagCache $handle, string $tag): int {}

    /**
     * Lists the keys that carry the tag; [] and E_WARNING on failure.
     *
     * @return list<string>
     */
    function tagcache_keys_by_tag(TagCache $handle, string $tag): array {}

    /**
     * Reads many keys; the found ones only, in the order asked; [] and E_WARNING on failure.
     *
     * @param array<string|int> $keys
     * @return array<string|int, mixed>
     */
    function tagcache_bulk_get(TagCache $handle, array $keys): array {}

    /**
     * Stores many values, without tags (TagCache::mSet() takes tags).
     *
     * @param array<string|int, mixed> $items key => value
     * @param int|null $ttl_ms null, 0 or less: none
     * @return int how many were stored; 0 and E_WARNING on failure
     */
    function tagcache_bulk_put(TagCache $handle, array $items, ?int $ttl_ms = null): int {}

    /**
     * Counters of the server; [] and E_WARNING on failure.
     *
     * @return array{hits?: int, misses?: int, puts?: int, invalidations?: int, hit_ratio?: float}
     */
    function tagcache_stats(TagCache $handle): array {}

    /** Removes every entry of the server; how many, or 0 and E_WARNING on failure. */
    function tagcache_flush(TagCache $handle): int {}

    /**
     * Lists the keys that carry any of the tags; [] and E_WARNING on failure.
     *
     * @param string[] $tags
     * @return list<string>
     */
    function tagcache_search_any(TagCache $handle, array $tags): array {}

    /**
     * Lists the keys that carry all of the tags; [] and E_WARNING on failure.
     *
     * @param string[] $tags
     * @return list<string>
     */
    function tagcache_search_all(TagCache $handle, array $tags): array {}

    /** Ends the handle; see TagCache::close(). */
    function tagcache_close(TagCache $handle): void {}
}

namespace TagCache {

    /**
     * Commands that are collected and sent in one exchange, on one connection. TagCache::pipeline()
     * makes one, with the options that the handle has then; what becomes of the handle afterwards
     * (closed, made anew, dropped) changes nothing.
     *
     * Commands are checked and values serialized when they are added: what throws then has added
     * nothing. No connection is used before execute(). A pipeline that is dropped leaves no trace.
     */
    final class Pipeline implements \Countable
    {
        /** TagCache::set(); its result: true. @throws \TagCache\Exception nothing is added then */
        public function set(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): static {}

        /** TagCache::add(); its result: true, or false if the key exists. @throws \TagCache\Exception nothing is added then */
        public function add(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): static {}

        /** TagCache::get(); its result: the value, or $default. @throws \TagCache\Exception nothing is added then */
        public function get(string $key, mixed $default = null): static {}

        /** TagCache::has(); its result: bool. @throws \TagCache\Exception nothing is added then */
        public function has(string $key): static {}

        /** TagCache::delete(); its result: whether it existed. @throws \TagCache\Exception nothing is added then */
        public function delete(string $key): static {}

        /** TagCache::increment(); its result: the new number. @throws \TagCache\Exception nothing is added then */
        public function increment(string $key, int $by = 1, ?int $ttl_ms = null, array $tags = []): static {}

        /** TagCache::decrement(); its result: the new number. @throws \TagCache\Exception nothing is added then */
        public function decrement(string $key, int $by = 1, ?int $ttl_ms = null, array $tags = []): static {}

        /** TagCache::invalidateTag(); its result: how many entries went. @throws \TagCache\Exception nothing is added then */
        public function invalidateTag(string $tag): static {}

        /** TagCache::invalidateTags(); its result: how many entries went. @throws \TagCache\Exception nothing is added then */
        public function invalidateTags(array $tags, string $mode = 'any'): static {}

        /** TagCache::keysByTag(); its result: a list of keys. @throws \TagCache\Exception nothing is added then */
        public function keysByTag(string $tag): static {}

        /** TagCache::searchAny(); its result: a list of keys. @throws \TagCache\Exception nothing is added then */
        public function searchAny(array $tags): static {}

        /** TagCache::searchAll(); its result: a list of keys. @throws \TagCache\Exception nothing is added then */
        public function searchAll(array $tags): static {}

        /** TagCache::mGet(); its result: the found values by key. @throws \TagCache\Exception nothing is added then */
        public function mGet(array $keys): static {}

        /** TagCache::mSet(); its result: how many were stored. @throws \TagCache\Exception nothing is added then */
        public function mSet(array $items, ?int $ttl_ms = null, array $tags = []): static {}

        /** TagCache::mSetItems(); its result: how many were stored. @throws \TagCache\Exception nothing is added then */
        public function mSetItems(array $items): static {}

        /** TagCache::mAdd(); its result: for each key true, false or an exception. @throws \TagCache\Exception nothing is added then */
        public function mAdd(array $items, ?int $ttl_ms = null, array $tags = []): static {}

        /** TagCache::mDelete(); its result: how many existed. @throws \TagCache\Exception nothing is added then */
        public function mDelete(array $keys): static {}

        /** TagCache::stats(); its result: the counters of the server. @throws \TagCache\Exception nothing is added then */
        public function stats(): static {}

        /** TagCache::flush(); its result: how many entries went. @throws \TagCache\Exception nothing is added then */
        public function flush(): static {}

        /**
         * Sends the commands and returns their results in order; afterwards the pipeline is empty
         * and can be filled again.
         *
         * Each result is what the method of TagCache of the same name returns. What it would throw
         * stands in its place: a TagCache\Exception, or what a class of the value threw when it
         * was unserialized. If the connection breaks or the time is over midway, the results that
         * had come stand in their places and one TagCache\ConnectionException in all the others:
         * whether those commands took effect is not known. If the server's replies can't be
         * trusted, it stands in every place. If the replies have more than `max_call_bytes`
         * together, a TagCache\ProtocolException stands in the place of each that was left out,
         * and another in those of the commands that were not sent, which it names.
         *
         * @return list<mixed>
         * @throws \TagCache\Exception only if nothing was sent (no connection could be had); the
         *     commands stay, and execute() may be called again
         */
        public function execute(): array {}

        /** Forgets the commands. */
        public function discard(): static {}

        /** How many results execute() will return. */
        public function count(): int {}
    }

    /**
     * Commands that are sent over several connections at once and answered while the script does
     * other work. TagCache::batch() makes one, with the options that the handle has then.
     *
     * Each method that adds a command returns its future. Commands on the same key, tag or list of
     * tags keep their order; others may overtake each other.
     *
     * The time limit `timeout_ms` runs from send() on. When it is over, what was answered is
     * there, and the other futures throw TagCache\TimeoutException. Dropped unfinished (the batch
     * and all its futures), it closes its connections. While it is under way, other calls of the
     * same thread that find no connection free drive it first.
     *
     * A forked child can use what had been answered before the fork; everything else throws
     * TagCache\ConnectionException there and leaves the parent's connections alone.
     */
    final class Batch implements \Countable
    {
        /** TagCache::set(); value() of the future: true. @throws \TagCache\Exception nothing is added then */
        public function set(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): Future {}

        /** TagCache::add(); value() of the future: true, or false if the key exists. @throws \TagCache\Exception nothing is added then */
        public function add(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): Future {}

        /** TagCache::get(); value() of the future: the value, or $default. @throws \TagCache\Exception nothing is added then */
        public function get(string $key, mixed $default = null): Future {}

        /** TagCache::has(); value() of the future: bool. @throws \TagCache\Exception nothing is added then */
        public function has(string $key): Future {}

        /** TagCache::delete(); value() of the future: whether it existed. @throws \TagCache\Exception nothing is added then */
        public function delete(string $key): Future {}

        /** TagCache::increment(); value() of the future: the new number. @throws \TagCache\Exception nothing is added then */
        public function increment(string $key, int $by = 1, ?int $ttl_ms = null, array $tags = []): Future {}

        /** TagCache::decrement(); value() of the future: the new number. @throws \TagCache\Exception nothing is added then */
        public function decrement(string $key, int $by = 1, ?int $ttl_ms = null, array $tags = []): Future {}

        /** TagCache::invalidateTag(); value() of the future: how many entries went. @throws \TagCache\Exception nothing is added then */
        public function invalidateTag(string $tag): Future {}

        /** TagCache::invalidateTags(); value() of the future: how many entries went. @throws \TagCache\Exception nothing is added then */
        public function invalidateTags(array $tags, string $mode = 'any'): Future {}

        /** TagCache::keysByTag(); value() of the future: a list of keys. @throws \TagCache\Exception nothing is added then */
        public function keysByTag(string $tag): Future {}

        /** TagCache::searchAny(); value() of the future: a list of keys. @throws \TagCache\Exception nothing is added then */
        public function searchAny(array $tags): Future {}

        /** TagCache::searchAll(); value() of the future: a list of keys. @throws \TagCache\Exception nothing is added then */
        public function searchAll(array $tags): Future {}

        /** TagCache::mGet(); value() of the future: the found values by key. @throws \TagCache\Exception nothing is added then */
        public function mGet(array $keys): Future {}

        /** TagCache::mSet(); value() of the future: how many were stored. @throws \TagCache\Exception nothing is added then */
        public function mSet(array $items, ?int $ttl_ms = null, array $tags = []): Future {}

        /** TagCache::mSetItems(); value() of the future: how many were stored. @throws \TagCache\Exception nothing is added then */
        public function mSetItems(array $items): Future {}

        /** TagCache::mAdd(); value() of the future: for each key true, false or an exception. @throws \TagCache\Exception nothing is added then */
        public function mAdd(array $items, ?int $ttl_ms = null, array $tags = []): Future {}

        /** TagCache::mDelete(); value() of the future: how many existed. @throws \TagCache\Exception nothing is added then */
        public function mDelete(array $keys): Future {}

        /** TagCache::stats(); value() of the future: the counters of the server. @throws \TagCache\Exception nothing is added then */
        public function stats(): Future {}

        /** TagCache::flush(); value() of the future: how many entries went. @throws \TagCache\Exception nothing is added then */
        public function flush(): Future {}

        /**
         * Sends the commands as far as the network takes them, and returns at once. Waits only if
         * no connection is free. Commands can't be added any more; a second send() does nothing.
         *
         * @throws \TagCache\Exception if no connection could be had; send() may be called again
         */
        public function send(): static {}

        /**
         * Sends if that was not done, and drives the batch until every future is ready.
         *
         * @param float|null $seconds at most so long, 0 = without waiting; null = until the time
         *     limit of the batch
         * @return bool whether every future is ready: has its value, or will throw why not. False:
         *     a part of them is, as ready() tells.
         * @throws \TagCache\Exception
         */
        public function wait(?float $seconds = null): bool {}

        /**
         * Sends if that was not done, and returns a stream for stream_select() and event loops: it
         * becomes readable when wait(0) has something to do (something arrived, there is room to
         * send, the time limit is over), and stays readable when every future is ready. It can't
         * be read from. Each call makes a new one, which the caller may close.
         *
         * @return resource
         * @throws \TagCache\Exception
         */
        public function stream() {}

        /** How many futures there are. */
        public function count(): int {}
    }

    /** The result of one command of a batch. It keeps its batch alive. */
    final class Future
    {
        /**
         * Returns the value, the same at each call; sends the batch and waits for it if need be.
         *
         * @throws \TagCache\Exception what the method of TagCache of the same name would throw
         */
        public function value(): mixed {}

        /** Tells whether value() returns or throws at once. Takes what has arrived, sends nothing. */
        public function ready(): bool {}
    }

    /** Everything that TagCache throws by itself implements this. */
    interface Exception extends \Throwable
    {
    }

    /** The server could not be reached, or the connection broke. */
    class ConnectionException extends \RuntimeException implements Exception
    {
        private $peer = "";

        /** The server, as "127.0.0.1:1984" or "unix:///path"; "" if made by hand. */
        public function getPeer(): string {}
    }

    /** The call did not end in time. Whether a write took place is not known then. */
    class TimeoutException extends ConnectionException
    {
        private $phase = "";
        private $deadlineMs = 0;

        /** What it was at: 'acquire', 'connect', 'write' or 'read'; "" if made by hand. */
        public function getPhase(): string {}

        /** The limit that passed, in milliseconds; 0 if made by hand. */
        public function getDeadlineMs(): int {}
    }

    /** No connection of the pool became free in time; getPhase() is 'acquire'. */
    class PoolExhaustedException extends TimeoutException
    {
    }

    /** The server answered something that is no answer to what was asked, or too much. */
    class ProtocolException extends ConnectionException
    {
    }

    /** The server refused the command; the message has its text. */
    class ServerException extends \RuntimeException implements Exception
    {
    }

    /** An argument or option is not allowed; nothing was sent. */
    class InvalidArgumentException extends \InvalidArgumentException implements Exception
    {
    }

    /** A value cannot be serialized (nothing was sent), or what was stored cannot be read back. */
    class SerializationException extends \RuntimeException implements Exception
    {
    }

    /** The handle was closed, or never made (a constructor that does not call its parent's). */
    class ClosedException extends \RuntimeException implements Exception
    {
    }
}
