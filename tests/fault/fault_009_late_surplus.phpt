--TEST--
A surplus line that comes later is found before the connection is used again
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 1]);
$cache->set('victim', 'mine');
$before = $cache->poolStats();
for ($round = 1; $round <= 5; $round++) {
    $server->rule('inject:reply=*,text=VALUE\tSTOLEN\n,after_ms=10');
    [$outcome] = timed(fn () => $cache->get('victim'));
    same('mine', $outcome, "round $round: the reply itself");
    $server->clear();
    unread_bytes_arrive($server);
    foreach (['get' => 'mine', 'again' => 'mine'] as $what => $want) {
        [$outcome] = timed(fn () => $cache->get('victim'));
        same($want, $outcome, "round $round: $what");
    }
    same($round, $cache->poolStats()['closed_stale'] - $before['closed_stale'], "round $round: discarded before use");
}
same($before['closed_broken'], $cache->poolStats()['closed_broken'], 'no call failed');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
