--TEST--
remember() refuses arguments that can't work before it makes anything, and also where it finds the value
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$calls = 0;
$make = function () use (&$calls): string {
    $calls++;
    return 'made';
};
$bad = [
    'a line feed in a tag' => [[k('good'), "a\nb"], null, [], 'element 1 of $tags'],
    'a comma in a tag' => [['a,b'], null, [], 'element 0 of $tags'],
    'a tag that is an array' => [[[]], null, [], '$tags must hold strings'],
    'no time at all' => [[], 0, [], '$ttl_ms must be 1 or more'],
    'an unknown option' => [[], null, ['lock' => 1], 'stale_ms'],
    'an option out of range' => [[], null, ['lock_ms' => 0], 'lock_ms'],
];
foreach (['missing', 'found'] as $case) {
    foreach ($bad as $what => [$tags, $ttl, $options, $part]) {
        throws(
            TagCache\InvalidArgumentException::class,
            fn () => $cache->remember(k('v'), $make, $tags, $ttl, $options),
            "$what, $case",
            $part,
        );
    }
    same($case === 'missing' ? 0 : 1, $calls, "calls, $case");
    same('made', $cache->remember(k('v'), $make), "the value, $case");
}
same(0, $cache->poolStats()['in_use'], 'connections out');
finish();
--EXPECT--
ok
