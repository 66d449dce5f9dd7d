--TEST--
poolStats() has the documented fields
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 3]);
$stats = $cache->poolStats();
same(['endpoint', 'size', 'idle', 'in_use', 'waiters', 'opened', 'closed_broken', 'closed_stale', 'closed_retired', 'check_outs', 'waits',
    'acquire_timeouts', 'connect_failures', 'connects_skipped', 'retries', 'bytes_sent', 'bytes_received', 'oldest_ms', 'unreachable_ms',
    'next_try_ms', 'acquire_us', 'round_trip_us'],
    array_keys($stats), 'fields');
same("127.0.0.1:$server->port", $stats['endpoint'], 'endpoint');
same(3, $stats['size'], 'size');
$empty = ['oldest_ms', 'unreachable_ms', 'next_try_ms'];
$none = ['count' => 0, 'p50' => 0.0, 'p95' => 0.0, 'p99' => 0.0, 'max' => 0.0];
foreach (array_slice($stats, 2) as $name => $value) {
    same(['acquire_us' => $none, 'round_trip_us' => $none][$name] ?? (in_array($name, $empty, true) ? null : 0), $value, "$name of a new pool");
}
$server->stop();
for ($n = 0; $n < 3; $n++) {
    throws(TagCache\ConnectionException::class, fn () => $cache->get('a'), 'nobody there');
}
$stats = $cache->poolStats();
same([3, 0, 0, 0], [$stats['connect_failures'], $stats['in_use'], $stats['idle'], $stats['opened']], 'failures to connect are counted');

finish();
--EXPECT--
ok
