--TEST--
A restart of the server between two calls is not noticed by the caller
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$port = $server->port;
$caches = [$server->cache(['pool_size' => 1]), $server->cache(['pool_size' => 2])];
foreach ($caches as $cache) {
    $cache->set('a', 1);
}
for ($round = 0; $round < 3; $round++) {
    $server->stop();
    $server = new Fault([], $port);
    foreach ($caches as $n => $cache) {
        $what = "round $round, pool $n";
        $calls = [fn () => $cache->set('a', $round), fn () => $cache->increment("n$n"), fn () => $cache->add("add$n", 1)];
        $want = [true, 1, true];
        [$outcome] = timed($calls[$round]);
        same($want[$round], $outcome, "$what: a write goes through at once");
        same($round + 2, $cache->poolStats()['opened'], "$what: opened");
        same($round + 1, $cache->poolStats()['closed_stale'], "$what: the dead connection was found before use");
    }
}
at_full_capacity($caches[0], 'at the end');

finish();
--EXPECT--
ok
