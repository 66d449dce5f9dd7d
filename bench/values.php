<?php
/*
 * What it takes to make a command of a value, against the serializers themselves: a pipeline encodes
 * while it collects, so adding to one and discarding it is the encoding and nothing else.
 *
 *   php -n -d extension=.../igbinary.so -d extension=.../msgpack.so -d extension=.../libtagcache.so bench/values.php
 *
 * Needs no server for that. With TAGCACHE_TEST_ADDR=HOST:PORT it also prints what it takes to make a value
 * of a reply: a pipeline of get() less the same of has(), which gets the same replies and makes nothing.
 * Prints nanoseconds a value, medians of 15 rounds, all contenders in turn.
 */
declare(strict_types=1);

$list = [];
for ($n = 0; $n < 50; $n++) {
    $list["item $n"] = $n % 2 ? "value of item $n" : $n * 1000;
}
$values = [
    'string 100 B' => str_repeat('text ', 20),
    'string 7 KB' => str_repeat('text ', 1434),
    'string 1 MB' => str_repeat('text ', 209716),
    'bytes 7 KB' => random_bytes(7168),
    'int' => 1234567890,
    'array of 50' => $list,
];
$pipelines = [];
foreach (['php', 'igbinary', 'msgpack', 'json'] as $serializer) {
    $pipelines[$serializer] = (new TagCache(['serializer' => $serializer]))->pipeline();
}

/** Nanoseconds of one call of $what. */
function once(callable $what): float
{
    $start = hrtime(true);
    $what();
    $count = (int) max(1, min(20_000, 2e6 / max(1, hrtime(true) - $start)));
    $start = hrtime(true);
    for ($n = 0; $n < $count; $n++) {
        $what();
    }
    return (hrtime(true) - $start) / $count;
}

echo "| value | serialize() | igbinary_serialize() | set, php | set, igbinary | set, msgpack | set, json |\n|---|---|---|---|---|---|---|\n";
foreach ($values as $name => $value) {
    $contenders = [fn () => serialize($value), fn () => igbinary_serialize($value)];
    foreach ($pipelines as $pipeline) {
        $contenders[] = fn () => $pipeline->set('key', $value)->discard();
    }
    $figures = [];
    for ($round = 0; $round < 15; $round++) {
        foreach ($round % 2 ? $contenders : array_reverse($contenders, true) as $n => $contender) {
            $figures[$n][] = once($contender);
        }
    }
    ksort($figures);
    foreach ($figures as &$rounds) {
        sort($rounds);
        $rounds = number_format($rounds[7]);
    }
    echo "| $name | " . implode(' | ', $figures) . " |\n";
    unset($rounds);
}

if (!preg_match('/^(.+):(\d+)$/', (string) getenv('TAGCACHE_TEST_ADDR'), $address)) {
    exit;
}
/** Nanoseconds of one $method() in a pipeline of as many as $bytes allow. */
function asked(TagCache $cache, string $method, int $bytes): float
{
    $count = max(4, min(500, intdiv(4_000_000, $bytes + 1)));
    $pipeline = $cache->pipeline();
    for ($n = 0; $n < $count; $n++) {
        $pipeline->$method('bench values');
    }
    $start = hrtime(true);
    $results = $pipeline->execute();
    return (hrtime(true) - $start) / count($results);
}

echo "\n| value | unserialize() | igbinary_unserialize() | get, php | get, igbinary | get, msgpack | get, json |\n|---|---|---|---|---|---|---|\n";
foreach ($values as $name => $value) {
    [$php, $igbinary, $bytes] = [serialize($value), igbinary_serialize($value), strlen(serialize($value))];
    $figures = [];
    for ($round = 0; $round < 15; $round++) {
        $figures[0][] = once(fn () => unserialize($php));
        $figures[1][] = once(fn () => igbinary_unserialize($igbinary));
        foreach (['php', 'igbinary', 'msgpack', 'json'] as $n => $serializer) {
            $cache = new TagCache(['serializer' => $serializer, 'host' => $address[1], 'port' => (int) $address[2]]);
            $cache->set('bench values', $value);
            $figures[$n + 2][] = asked($cache, 'get', $bytes) - asked($cache, 'has', $bytes);
        }
    }
    foreach ($figures as &$rounds) {
        sort($rounds);
        $rounds = number_format($rounds[7]);
    }
    echo "| $name | " . implode(' | ', $figures) . " |\n";
    unset($rounds);
}
