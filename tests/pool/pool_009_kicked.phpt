--TEST--
Connections that the server closed are replaced, all of them
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 4, 'min_idle' => 4]);
$cache->set('a', 1);
check(eventually(fn () => $cache->get('a') === 1 && $cache->poolStats()['idle'] === 4), 'four are open');
$fds = descriptors();
for ($round = 0; $round < 3; $round++) {
    $server->kick();
    for ($n = 0; $n < 8; $n++) {
        [$outcome] = timed(fn () => $cache->increment('n'));
        same($round * 8 + $n + 1, $outcome, "round $round, call $n");
    }
}
$stats = $cache->poolStats();
same([0, 0], [$stats['in_use'], $stats['closed_broken']], 'no call failed');
check(descriptors() <= $fds, 'no descriptor is left over');

finish();
--EXPECT--
ok
