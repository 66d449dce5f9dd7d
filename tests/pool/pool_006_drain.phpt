--TEST--
TagCache::drain() closes idle connections of every pool, and the pools work on
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$servers = [new Fault(), new Fault()];
$caches = [$servers[0]->cache(), $servers[0]->cache(['pool_size' => 5]), $servers[1]->cache()];
foreach ($caches as $cache) {
    $cache->set('a', 1);
}
$fds = descriptors();
same([2, 1], [$servers[0]->stats()['peers'], $servers[1]->stats()['peers']], 'connected');
same(3, TagCache::drain(), 'drain tells how many pools there were');
foreach ($caches as $n => $cache) {
    same(0, $cache->poolStats()['idle'], "pool $n has nothing idle");
    same(1, $cache->poolStats()['closed_stale'], "pool $n counts it as stale");
}
same($fds - 3, descriptors(), 'descriptors are closed');
check(eventually(fn () => $servers[0]->stats()['peers'] === 0 && $servers[1]->stats()['peers'] === 0), 'the servers see it');
foreach ($caches as $n => $cache) {
    same(1, $cache->get('a'), "pool $n connects again");
    same(2, $cache->poolStats()['opened'], "pool $n opened a second one");
}
$caches[0]->drain();
same(0, $caches[2]->poolStats()['idle'], 'called on a handle it drains all too');
same(3, TagCache::drain(), 'drain of drained pools');
throws(ArgumentCountError::class, fn () => TagCache::drain(1), 'an argument');

finish();
--EXPECT--
ok
