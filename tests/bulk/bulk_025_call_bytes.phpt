--TEST--
max_call_bytes bounds what is held of a bulk, and not what it returns
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$sizes = fn (array $values): array => array_map('strlen', $values);
$exchanges = fn (callable $call): array => [
    $before = $server->cache()->poolStats()['check_outs'],
    $call(),
    $server->cache()->poolStats()['check_outs'] - $before,
];

// Small ones, then large ones, with misses and duplicates between: all come, in order, though they do not fit at once.
$fill = $server->cache(['timeout_ms' => 20_000]);
$items = [];
for ($n = 0; $n < 1500; $n++) {
    $items["k$n"] = str_repeat(chr(65 + $n % 26), $n % 1000 < 900 ? 10 : 60_000 + $n);
}
$fill->mSet($items);
$keys = array_keys($items);
array_splice($keys, 950, 0, ['none', 'k3', 'k960', 'none']);
array_push($keys, 'none', 'k999');
foreach ([1024, 100_000, 1_000_000, 64 << 20] as $most) {
    $cache = $server->cache(['max_call_bytes' => $most, 'timeout_ms' => 20_000]);
    [, $got, $count] = $exchanges(fn () => $cache->mGet($keys));
    check($got == $items, "mGet within $most: " . count($got) . ' values');
    same(['k948', 'k949', 'k3'], array_slice(array_keys($cache->mGet(array_slice($keys, 948, 4))), 0, 3), "$most: the order");
    if ($most === 64 << 20) {
        check($count <= 3, "what fits takes no more exchanges than before: $count");
    }
}
same(1, $exchanges(fn () => $cache->mGet(array_slice($keys, 0, 900)))[2], 'small ones in one exchange');
same(1500, $fill->mDelete(array_keys($items)), 'mDelete returns nothing long');

// Values that fill the room exactly, one byte more, and one that has more than all of it.
$cache = $server->cache(['max_call_bytes' => 10_000]);
foreach ([4993, 4994, 5000, 20_000] as $size) {
    $cache->mSet($two = ['a' => str_repeat('a', $size), 'b' => str_repeat('b', $size)]);
    same($two, $cache->mGet(['a', 'b']), "two of $size");
    same($two['a'], $cache->get('a'), "one of $size");
    same(true, $cache->has('b'), "has() of $size");
}
// What stays a limit of its own is that of one reply.
$cache = $server->cache(['max_call_bytes' => 10_000, 'max_reply_bytes' => 15_000]);
throws(TagCache\ProtocolException::class, fn () => $cache->mGet(['a', 'b']), 'too long by itself', 'max_reply_bytes');
same(0, $cache->poolStats()['in_use'], 'nothing is out');

// The handle may be used, and closed, by what is read meanwhile.
final class Reads
{
    public static ?Closure $then = null;

    public function __construct(public string $text)
    {
    }

    public function __wakeup(): void
    {
        (self::$then)();
    }
}
$cache = $server->cache(['max_call_bytes' => 50_000]);
$cache->mSet(array_fill_keys(range(0, 29), new Reads(str_repeat('x', 20_000))));
$nested = 0;
Reads::$then = function () use ($cache, &$nested) {
    $nested += count($cache->mGet(['a', 'b']));
};
same(30, count($cache->mGet(range(0, 29))), 'values that read others');
same(60, $nested, 'those others');
Reads::$then = fn () => $cache->close();
same(30, count($cache->mGet(range(0, 29))), 'a handle that is closed meanwhile');

// The keys of tags: one list may be as long as a reply, several have the limit together.
$cache = $server->cache(['max_call_bytes' => 4000]);
$names = array_map(fn ($n) => sprintf('key %010d', $n), range(0, 299));
$cache->mSet(array_fill_keys($names, 1), null, ['one', 'two']);
same_set($names, $cache->keysByTag('one'), 'keysByTag');
same_set($names, $cache->searchAny(['one']), 'searchAny of one');
$class = TagCache\ProtocolException::class;
throws($class, fn () => $cache->searchAny(['one', 'two']), 'searchAny', 'max_call_bytes');
throws($class, fn () => $cache->searchAll(['one', 'two']), 'searchAll', 'max_call_bytes');
$cache = $server->cache(['max_call_bytes' => 20_000]);
same_set($names, $cache->searchAny(['one', 'two']), 'searchAny with room');
same_set($names, $cache->searchAll(['one', 'two', 'one']), 'searchAll with room');
same(0, $cache->poolStats()['closed_broken'] - 1, 'only the reply that was too long by itself ended its connection');
at_full_capacity($cache, 'afterwards');

finish();
--EXPECT--
ok
