<?php
/*
 * One contender of scripts/bench.sh, in a process of its own:
 *
 *   php worker.php tagcache|redis|memcached HOST PORT
 *
 * It is told on stdin what to do, and answers on stdout:
 *
 *   prepare WHAT NUMBER PAYLOAD    ->  ready
 *   run COUNT                      ->  nanoseconds
 *
 * `prepare` stores what is to be read and checks that it comes back; only COUNT steps are timed.
 * Payloads: `text` repeats and compresses well, `random` is bytes that nothing can compress.
 */
declare(strict_types=1);


/** The same keys as in raw_bound.rs. */
function key_of(int $size, string $payload, int $n): string
{
    return sprintf('bench:%s:%d:%04d', $payload, $size, $n);
}

function payload_of(int $size, string $payload, int $n): string
{
    if ($payload === 'text') {
        return substr(str_repeat("item $n of a list that repeats itself, ", intdiv($size, 30) + 1), 0, $size);
    }
    mt_srand($size * 10000 + $n);
    $bytes = '';
    while (strlen($bytes) < $size) {
        $bytes .= pack('N', mt_rand(0, 0xFFFFFFFF));
    }
    return substr($bytes, 0, $size);
}

/** @return array<string, string> */
function items_of(int $size, string $payload): array
{
    $items = [];
    for ($n = 0; $n < ($size > 8192 ? 64 : 1000); $n++) {
        $items[key_of($size, $payload, $n)] = payload_of($size, $payload, $n);
    }
    return $items;
}

function must(bool $holds, string $what): void
{
    if (!$holds) {
        fwrite(STDERR, "worker: $what\n");
        exit(1);
    }
}

/** A connection or handle of the contender. */
function connect(string $name, string $host, int $port): object
{
    switch ($name) {
        case 'tagcache':
            return new TagCache(['host' => $host, 'port' => $port]);
        case 'redis':
            $redis = new Redis();
            $redis->connect($host, $port);
            return $redis;
        case 'memcached':
            $memcached = new Memcached();
            $memcached->setOption(Memcached::OPT_COMPRESSION, false);
            $memcached->setOption(Memcached::OPT_TCP_NODELAY, true);
            $memcached->addServer($host, $port);
            return $memcached;
    }
    must(false, "no contender '$name'");
}

/**
 * Makes what a step is: a function that runs COUNT of them and returns the nanoseconds. The loops
 * are written out, so that no call but the contender's own is timed.
 */
function prepare(string $name, object $cache, string $what, int $number, string $payload): Closure
{
    if ($what === 'get' || $what === 'set') {
        $items = items_of($number, $payload);
        $keys = array_keys($items);
        $values = array_values($items);
        $of = count($keys);
        foreach ($items as $key => $value) {
            must($cache->set($key, $value) === true, "set of $number bytes failed");
            must($cache->get($key) === $value, "get of $number bytes differs");
        }
        if ($what === 'get') {
            return function (int $count) use ($cache, $keys, $of): int {
                $start = hrtime(true);
                for ($i = 0; $i < $count; $i++) {
                    $cache->get($keys[$i % $of]);
                }
                return hrtime(true) - $start;
            };
        }
        return function (int $count) use ($cache, $keys, $values, $of): int {
            $start = hrtime(true);
            for ($i = 0; $i < $count; $i++) {
                $cache->set($keys[$i % $of], $values[$i % $of]);
            }
            return hrtime(true) - $start;
        };
    }
    if ($what === 'mget') {
        $items = items_of(100, $payload);
        foreach ($items as $key => $value) {
            must($cache->set($key, $value) === true, 'set failed');
        }
        $sets = array_chunk(array_keys($items), $number);
        $method = $name === 'memcached' ? 'getMulti' : 'mGet';
        $got = $cache->$method($sets[0]);
        must(array_values($got) === array_slice(array_values($items), 0, $number), 'mGet differs');
        unset($got);
        $of = count($sets);
        return match ($method) {
            'getMulti' => function (int $count) use ($cache, $sets, $of): int {
                $start = hrtime(true);
                for ($i = 0; $i < $count; $i++) {
                    $cache->getMulti($sets[$i % $of]);
                }
                return hrtime(true) - $start;
            },
            'mGet' => function (int $count) use ($cache, $sets, $of): int {
                $start = hrtime(true);
                for ($i = 0; $i < $count; $i++) {
                    $cache->mGet($sets[$i % $of]);
                }
                return hrtime(true) - $start;
            },
        };
    }
    if ($what === 'mset') {
        $items = array_slice(items_of(100, $payload), 0, $number, true);
        return match ($name) {
            'tagcache' => function (int $count) use ($cache, $items): int {
                $start = hrtime(true);
                for ($i = 0; $i < $count; $i++) {
                    $cache->mSet($items, 600_000, ['bench-mset']);
                }
                return hrtime(true) - $start;
            },
            'redis' => function (int $count) use ($cache, $items): int {
                $start = hrtime(true);
                for ($i = 0; $i < $count; $i++) {
                    $cache->mSet($items);
                }
                return hrtime(true) - $start;
            },
        };
    }
    must($name === 'tagcache', "only tagcache has '$what'");
    if ($what === 'keysbytag') {
        $items = [];
        for ($n = 0; $n < $number; $n++) {
            $items[sprintf('bench:tagged:%04d', $n)] = 'x';
        }
        $cache->invalidateTag('bench-tag');
        $cache->mSet($items, null, ['bench-tag']);
        must(count($cache->keysByTag('bench-tag')) === $number, 'keysByTag differs');
        return function (int $count) use ($cache): int {
            $start = hrtime(true);
            for ($i = 0; $i < $count; $i++) {
                $cache->keysByTag('bench-tag');
            }
            return hrtime(true) - $start;
        };
    }
    if ($what === 'invtag') {
        $items = [];
        for ($n = 0; $n < $number; $n++) {
            $items["bench:inv:$n"] = 'x';
        }
        $cache->mSet($items, null, ['bench-inv']);
        must($cache->invalidateTag('bench-inv') === $number, 'invalidateTag differs');
        return function (int $count) use ($cache, $items): int {
            $timed = 0;
            for ($i = 0; $i < $count; $i++) {
                $cache->mSet($items, null, ['bench-inv']);
                $start = hrtime(true);
                $cache->invalidateTag('bench-inv');
                $timed += hrtime(true) - $start;
            }
            return $timed;
        };
    }
    if ($what === 'new') {
        $options = ['host' => $GLOBALS['argv'][2], 'port' => (int) $GLOBALS['argv'][3]];
        $cache->get('bench:new');
        return function (int $count) use ($options): int {
            $start = hrtime(true);
            for ($i = 0; $i < $count; $i++) {
                $handle = new TagCache($options);
            }
            $timed = hrtime(true) - $start;
            $handle->get('bench:new');
            return $timed;
        };
    }
    must(false, "no measurement '$what'");
}

$cache = connect($argv[1], $argv[2], (int) $argv[3]);
$run = null;
while (($line = fgets(STDIN)) !== false) {
    $words = explode(' ', trim($line));
    if ($words[0] === 'prepare') {
        $run = null;
        $run = prepare($argv[1], $cache, $words[1], (int) $words[2], $words[3]);
        echo "ready\n";
    } else {
        echo $run((int) $words[1]), "\n";
    }
}
