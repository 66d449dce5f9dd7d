<?php
/*
 * What scripts/apache-deep.sh adds to the load: servers that are killed, acknowledged writes that
 * must be there all the same, and scripts that die. settings.php then has under 'deep':
 *
 *   options       of the handle, above all its deadline
 *   lost_file     where lost acknowledged writes are noted
 *   error_file    where errors are noted that no disturbance explains
 *   state_file    "up N", "down N" or "stalled N"; N grows with every change
 *   ledger_file   writes that any other request may check
 *   deaths        how many requests of 1000 die
 */
declare(strict_types=1);

/**
 * Which server answered. The script gives each server that it starts a number, under the key
 * "generation", and no number twice: who reads the same number before a write and after a read
 * has spoken to one and the same server all the while.
 */
final class Generation
{
    private static ?TagCache $cache = null;
    private static mixed $first = null;

    public static function begin(TagCache $cache): void
    {
        self::$cache = $cache;
        self::$first = $cache->get('generation');
    }

    /** The number; null when the server was too young to have one. */
    public static function now(): ?int
    {
        return self::$first;
    }

    /** Ends the request: as one of a killed server, or as one whose write was lost. */
    public static function excuse(string $mismatch): never
    {
        if (self::$first !== null && self::$cache->get('generation') === self::$first) {
            lost($mismatch);
        }
        exit("restarted\n");
    }
}

function lost(string $what): never
{
    file_put_contents(settings()['deep']['lost_file'], "$what\n", FILE_APPEND | LOCK_EX);
    http_response_code(500);
    exit("LOST $what\n");
}

/** What the script is doing to the server just now. */
function server_state(): string
{
    return (string) file_get_contents(settings()['deep']['state_file']);
}

/** An error is expected if the server was disturbed at any time of the request. */
function explain_error(string $before, Throwable $error): void
{
    if (str_starts_with($before, 'up') && server_state() === $before) {
        $text = date('H:i:s ') . get_class($error) . ': ' . $error->getMessage();
        file_put_contents(settings()['deep']['error_file'], "$text\n", FILE_APPEND | LOCK_EX);
    }
}

/**
 * A handle that notes how long its slowest call took. Only the methods that the load calls.
 */
final class Timed
{
    public float $slowest_ms = 0.0;
    public string $slowest = '';

    public function __construct(public readonly TagCache $cache)
    {
    }

    public function __call(string $method, array $arguments): mixed
    {
        $start = hrtime(true);
        try {
            return $this->cache->$method(...$arguments);
        } finally {
            $this->note($method, $start);
        }
    }

    /** Notes a call that began at $start, by hrtime(). */
    public function note(string $method, int $start): void
    {
        $ms = (hrtime(true) - $start) / 1e6;
        if ($ms > $this->slowest_ms) {
            $this->slowest_ms = $ms;
            $this->slowest = $method;
        }
    }
}

/**
 * Acknowledged writes, for other requests to read: records of equal length in one file, each the
 * generation, the time and the key. The value follows from the key.
 */
final class Ledger
{
    private const RECORD = 56;
    private const RECENT = 4096;
    private const TTL_S = 120;

    public static function value(string $key): string
    {
        return "$key=" . hash('sha256', $key);
    }

    /** Writes one entry, then notes that it was acknowledged. */
    public static function enter(Timed $cache): void
    {
        $generation = Generation::now();
        if ($generation === null) {
            return;
        }
        $key = 'ledger:' . bin2hex(random_bytes(10));
        $cache->set($key, self::value($key), [], self::TTL_S * 2000);
        // One server all the while: then it is the one that has acknowledged.
        if ($cache->get('generation') === $generation) {
            $record = sprintf("%08d %010d %-35s\n", $generation, time(), $key);
            file_put_contents(settings()['deep']['ledger_file'], $record, FILE_APPEND);
        }
    }

    /** Reads an entry of some other request; the server that acknowledged it must have it. */
    public static function audit(Timed $cache): void
    {
        $file = fopen(settings()['deep']['ledger_file'], 'rb');
        $records = intdiv(fstat($file)['size'], self::RECORD);
        if ($records === 0) {
            return;
        }
        fseek($file, mt_rand(max(0, $records - self::RECENT), $records - 1) * self::RECORD);
        [$generation, $time, $key] = explode(' ', rtrim((string) fread($file, self::RECORD)), 3);
        if ((int) $generation !== Generation::now() || (int) $time + self::TTL_S < time()) {
            return;
        }
        $got = $cache->get($key, '');
        if ($got !== self::value($key)) {
            $what = "ledger $key of another request: got " . brief($got);
            $got === '' ? Generation::excuse($what) : wrong($what);
        }
    }
}

/** A value whose hooks do what they are told while PHP serializes or unserializes it. */
final class Hook
{
    public static ?Closure $on_read = null;
    public static ?Closure $on_write = null;

    public function __construct(public string $id)
    {
    }

    public function __serialize(): array
    {
        self::$on_write === null ?: (self::$on_write)();
        return [$this->id];
    }

    public function __unserialize(array $data): void
    {
        [$this->id] = $data;
        self::$on_read === null ?: (self::$on_read)();
    }
}

/**
 * Ends the script in one of the ways in which scripts die: plainly, or from within a call of the
 * extension. The header tells the script what was meant.
 */
function die_somehow(Timed $cache, string $id): void
{
    $ways = [
        'exit' => fn () => exit,
        'exit-in-read' => fn () => within_read($cache, $id, fn () => exit),
        'exit-in-write' => fn () => within_write($cache, $id, fn () => exit),
        'throw' => fn () => throw new RuntimeException('meant to be uncaught'),
        'throw-in-read' => fn () => within_read($cache, $id, fn () => throw new RuntimeException('meant')),
        'throw-in-write' => fn () => within_write($cache, $id, fn () => throw new RuntimeException('meant')),
        'memory' => fn () => exhaust(),
        'memory-in-read' => fn () => within_read($cache, $id, exhaust(...)),
        'memory-in-write' => fn () => within_write($cache, $id, exhaust(...)),
        'memory-in-reply' => fn () => reply_too_big($cache, $id),
        'exit-in-batch' => fn () => within_batch($cache, $id, fn () => exit),
        'throw-in-batch' => fn () => within_batch($cache, $id, fn () => throw new RuntimeException('meant')),
        'memory-in-batch' => fn () => within_batch($cache, $id, exhaust(...)),
        'time' => fn () => spend_time($cache, $id),
    ];
    // The time limit takes a second, so it has a smaller share.
    $way = mt_rand(1, 40) === 1 ? 'time' : array_rand(array_slice($ways, 0, -1));
    header("X-Dies: $way");
    ini_set('log_errors', '0');
    $ways[$way]();
    wrong("$way: the script is still alive");
}

function within_read(Timed $cache, string $id, Closure $end): void
{
    $cache->set("$id:hook", new Hook($id), ["$id:all"], 60_000);
    Hook::$on_read = $end;
    // A server that was restarted meanwhile has nothing to read, so no hook runs.
    $cache->get("$id:hook");
    Generation::excuse("the value with a hook of $id is gone");
}

function within_write(Timed $cache, string $id, Closure $end): void
{
    Hook::$on_write = $end;
    $cache->mSet(["$id:a" => 'a', "$id:hook" => new Hook($id), "$id:b" => 'b'], 60_000);
}

/**
 * With a batch half done that holds connections: sent, not waited for, and kept where PHP frees it
 * only with everything else at the end of the request. The extension reports in the error log any
 * connection that is still out after that, which the script counts.
 */
function within_batch(Timed $cache, string $id, Closure $end): void
{
    global $kept;
    $kept = $cache->batch();
    for ($i = 0; $i < 12; $i++) {
        $kept->set("$id:half$i", str_repeat("$id $i ", mt_rand(1, 2000)), ["$id:all"], 5_000);
    }
    $kept->send();
    $end();
}

function exhaust(): void
{
    ini_set('memory_limit', (string) (memory_get_usage(true) + (2 << 20)));
    $heap = [];
    while (true) {
        $heap[] = str_repeat('x', 100_000);
    }
}

/** PHP has room for the reply's bytes in neither of its forms. */
function reply_too_big(Timed $cache, string $id): void
{
    $keys = [];
    for ($i = 0; $i < 4; $i++) {
        $keys[] = "$id:big$i";
        $cache->set("$id:big$i", str_repeat("$id$i", 60_000), ["$id:all"], 5_000);
    }
    ini_set('memory_limit', (string) (memory_get_usage(true) + (1 << 20)));
    $cache->mGet($keys);
    Generation::excuse("big values of $id are gone");
}

function spend_time(Timed $cache, string $id): void
{
    $cache->set("$id:time", $id, ["$id:all"], 60_000);
    set_time_limit(1);
    $end = hrtime(true) + 10_000_000_000;
    while (hrtime(true) < $end) {
        expect_same('get until the time limit', $id, $cache->get("$id:time", ''), '');
        usleep(2000);
    }
}
