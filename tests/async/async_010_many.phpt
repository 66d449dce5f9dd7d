--TEST--
Many batches with many keys over several connections, each value at its key
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['pool_size' => 6, 'timeout_ms' => 60_000]);
$open = descriptors();
$batches = [];
for ($b = 0; $b < 8; $b++) {
    $batch = $cache->batch();
    $futures = [];
    for ($n = 0; $n < 1000; $n++) {
        $batch->set(k("$b:$n"), "value $b:$n", [k('all')]);
        // On the same key: after the set, whatever overtakes what.
        $futures[$n] = $batch->get(k("$b:$n"));
    }
    $batches[] = [$batch->send(), $futures];
}
shuffle($batches);
foreach ($batches as [$batch, $futures]) {
    foreach ($futures as $n => $future) {
        if (!preg_match("/^value \d:$n$/", (string) $future->value())) {
            check(false, "future $n: " . show($future->value()));
        }
    }
    same(true, $batch->wait(0), 'done');
}
same(0, $cache->poolStats()['in_use'], 'all home');
$batch = $cache->batch();
$keys = [];
for ($n = 0; $n < 100_000; $n++) {
    $keys[] = k(($n % 8) . ':' . $n % 1000);
}
$future = $batch->mGet($keys);
same(1000, count($future->value()), 'a large mGet with duplicates');
same(8000, $cache->batch()->invalidateTag(k('all'))->value(), 'all gone');
unset($batches, $batch, $futures, $future);
check(descriptors() <= $open + 6, 'no more descriptors than connections');

finish();
--EXPECT--
ok
