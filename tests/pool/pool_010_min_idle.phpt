--TEST--
min_idle warms the pool up at the first use
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 6, 'min_idle' => 4]);
same(0, $server->stats()['peers_total'], 'not before');
$cache->set('a', 1);
check(eventually(fn () => $server->stats()['peers'] === 4), 'then four are open');
same(4, $cache->poolStats()['idle'], 'idle');
for ($n = 0; $n < 20; $n++) {
    $cache->get('a');
}
same(4, $server->stats()['peers_total'], 'and no more');

finish();
--EXPECT--
ok
