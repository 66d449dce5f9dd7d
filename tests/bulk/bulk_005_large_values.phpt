--TEST--
Bulks whose requests and replies both exceed every buffer do not deadlock
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['timeout_ms' => 60_000]);
$items = [];
for ($n = 0; $n < 1000; $n++) {
    $items[k($n)] = substr(str_repeat("$n ", 65536), 0, 65536);
}
[$stored, $ms] = timed(fn () => $cache->mSet($items));
same(1000, $stored, 'mSet of 1000 x 64 KB');
check($ms < 30_000, "mSet took $ms ms");
[$got, $ms] = timed(fn () => $cache->mGet(array_keys($items)));
check($got === $items, 'mGet of 1000 x 64 KB');
check($ms < 30_000, "mGet took $ms ms");
unset($got);

// Long keys make the requests of an mGet long too.
$long = [];
for ($n = 0; $n < 500; $n++) {
    $long[k(str_repeat("k$n ", 4000))] = str_repeat('v', 20_000) . $n;
}
same(500, $cache->mSet($long), 'mSet with long keys');
check($cache->mGet(array_keys($long)) === $long, 'mGet with long keys');
same(1500, $cache->mDelete([...array_keys($items), ...array_keys($long)]), 'clean up');

finish();
--EXPECT--
ok
