--TEST--
The end of a handle leaves the pool and its connections
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
for ($n = 0; $n < 20; $n++) {
    $cache = $server->cache();
    $cache->set('a', $n);
    if ($n % 3 === 0) {
        $cache->close();
    } elseif ($n % 3 === 1) {
        tagcache_close($cache);
    }
    unset($cache);
}
$cache = $server->cache();
same(19, $cache->get('a'), 'the last value');
$stats = $cache->poolStats();
same([1, 21], [$stats['opened'], $stats['check_outs']], 'one connection served all handles');
same(1, $server->stats()['peers_total'], 'the server saw one peer');

finish();
--EXPECT--
ok
