--TEST--
200,000 keys in one call each
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['timeout_ms' => 60_000]);
$items = [];
for ($n = 0; $n < 200_000; $n++) {
    $items[k($n)] = "value $n";
}
$keys = array_keys($items);
same(200_000, $cache->mSet($items), 'mSet');
check($cache->mGet($keys) === $items, 'mGet gives all, in order');
$every = [];
foreach ($keys as $n => $key) {
    $every[] = $key;
    $every[] = "$key missing";
}
check($cache->mGet($every) === $items, 'mGet of 400,000, half of which miss');
same(100_000, $cache->mDelete(array_slice($keys, 0, 100_000)), 'mDelete of the first half');
$left = $cache->mGet($keys);
check($left === array_slice($items, 100_000, null, true), 'the other half is left');
same(100_000, $cache->mDelete($keys), 'mDelete of all');
same(1, $cache->poolStats()['size'] - $cache->poolStats()['idle'] > 7 ? 0 : 1, 'one connection did it');

finish();
--EXPECT--
ok
