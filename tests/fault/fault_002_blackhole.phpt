--TEST--
Connecting that never completes ends at connect_timeout_ms, and at timeout_ms at the latest
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['blackhole']);
$fds = descriptors();
$class = TagCache\TimeoutException::class;
foreach ([['connect_timeout_ms' => 80, 'timeout_ms' => 5000], ['connect_timeout_ms' => 5000, 'timeout_ms' => 80]] as $options) {
    $cache = $server->cache($options);
    foreach ([
        'set' => fn () => $cache->set('k', 1), 'get' => fn () => $cache->get('k'), 'increment' => fn () => $cache->increment('k'),
        'mGet' => fn () => $cache->mGet(['a', 'b']), 'flush' => fn () => $cache->flush(),
    ] as $name => $call) {
        $thrown = throws_in_time($class, $call, $name . show($options), 80);
        same('connect', $thrown->getPhase(), "$name: phase");
    }
    same([0, 0], [$cache->poolStats()['in_use'], $cache->poolStats()['idle']], 'nothing is held');
}
check($cache->poolStats()['connect_failures'] >= 10, 'connect_failures');
// A handshake that is under way may be kept for the next call: one a connection of the pool.
check(descriptors() <= $fds + 2, 'no descriptor is leaked');
$server->clear();
check(eventually(fn () => timed(fn () => $cache->set('k', 1))[0] === true, 5), 'it works when the hole is gone');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
