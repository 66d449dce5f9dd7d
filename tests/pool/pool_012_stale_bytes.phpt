--TEST--
Bytes that lie in an idle connection are never taken for a reply
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 1]);
$cache->mSet(['a' => 'A', 'b' => 'B']);
$server->rule('inject:reply=0,verb=GET,text=VALUE\tFOREIGN\n,after_ms=10');
same('A', $cache->get('a'), 'the reply before the foreign line');
usleep(80_000);
same('B', $cache->get('b'), 'the next call does not see the foreign line');
$stats = $cache->poolStats();
same([2, 1], [$stats['opened'], $stats['closed_stale']], 'the connection was discarded before use');
usleep(80_000);
for ($n = 0; $n < 4; $n++) {
    same('A', $cache->get('a'), 'get a');
    usleep(80_000);
    same('B', $cache->get('b'), 'get b');
    usleep(80_000);
}
$server->clear();
usleep(80_000);
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
