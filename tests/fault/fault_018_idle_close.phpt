--TEST--
A server that closes after each reply costs a connection a call, not a failure
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['close_idle:after=*']);
$cache = $server->cache(['pool_size' => 1]);
$fds = descriptors();
for ($n = 0; $n < 30; $n++) {
    // The close may overtake the next call or not; without the pause both orders come up.
    if ($n % 2) {
        usleep(3000);
    }
    [$outcome] = timed(fn () => $cache->get('nothing', "default $n"));
    same("default $n", $outcome, "get $n");
}
for ($n = 1; $n <= 10; $n++) {
    usleep(20_000);
    [$outcome] = timed(fn () => $cache->increment('n'));
    same($n, $outcome, "increment $n");
}
$stats = $cache->poolStats();
check($stats['opened'] > 20, "connections: {$stats['opened']}");
check(descriptors() <= $fds + 1, 'no descriptor is leaked');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
