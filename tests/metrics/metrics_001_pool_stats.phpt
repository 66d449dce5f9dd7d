--TEST--
poolStats() tells times, bytes and the age of connections
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['delay:ms=20']);
$cache = $server->cache(['pool_size' => 2]);
$before = $cache->poolStats();
[, $ms] = timed(function () use ($cache) {
    for ($n = 0; $n < 10; $n++) {
        $cache->set('key', 'value');
    }
});
$after = $cache->poolStats();
// "PUT\tkey\t-\t-\tvalue\n" and "OK\n".
same(10 * 18, $after['bytes_sent'] - $before['bytes_sent'], 'bytes sent');
same(10 * 3, $after['bytes_received'] - $before['bytes_received'], 'bytes received');
$times = $after['round_trip_us'];
same(10, $times['count'], 'calls');
check($times['p50'] >= 20_000 && $times['p50'] <= $ms * 1000, "the median ({$times['p50']} us) of calls that take 20 ms");
check($times['p50'] <= $times['p95'] && $times['p95'] <= $times['p99'] && $times['p99'] <= $times['max'], 'in order');
same(['count' => 10, 'p50' => 0.0, 'p95' => 0.0, 'p99' => 0.0, 'max' => 0.0], $after['acquire_us'], 'nobody waited');
check($after['oldest_ms'] >= 150 && $after['oldest_ms'] <= $ms + 1000, "the age of the connection ({$after['oldest_ms']} ms)");
TagCache::drain();
same(null, $cache->poolStats()['oldest_ms'], 'none is open');

finish();
--EXPECT--
ok
