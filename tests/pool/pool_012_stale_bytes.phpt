--TEST--
Bytes that lie in an idle connection are never taken for a reply
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 1]);
$cache->mSet(['a' => 'A', 'b' => 'B']);
$server->rule('inject:reply=0,verb=GET,text=VALUE\tFOREIGN\n,after_ms=60');
same('A', $cache->get('a'), 'the reply before the foreign line');
unread_bytes_arrive($server);
same('B', $cache->get('b'), 'the next call does not see the foreign line');
$stats = $cache->poolStats();
same([2, 1], [$stats['opened'], $stats['closed_stale']], 'the connection was discarded before use');
unread_bytes_arrive($server);
for ($n = 0; $n < 5; $n++) {
    same('A', $cache->get('a'), 'get a');
    unread_bytes_arrive($server);
    same('B', $cache->get('b'), 'get b');
    unread_bytes_arrive($server);
}
same(11, $cache->poolStats()['closed_stale'], 'one connection a call');
$server->clear();
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
