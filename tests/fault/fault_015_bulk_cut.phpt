--TEST--
A bulk cut in its middle throws, and what was acknowledged is stored
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->set('kept', 'stays');
$fds = descriptors();
$items = array_fill_keys(array_map(fn ($n) => "k$n", range(0, 199)), str_repeat('v', 2000));
foreach (['close', 'reset'] as $how) {
    foreach ([0, 1, 100, 199] as $reply) {
        foreach (['PUT' => fn () => $cache->mSet($items), 'GET' => fn () => $cache->mGet(array_keys($items)), 'DEL' => fn () => $cache->mDelete(array_keys($items))] as $verb => $call) {
            $server->rule("$how:reply=$reply,verb=$verb,byte=1");
            TagCache::drain();
            $thrown = throws(TagCache\ConnectionException::class, $call, "$verb, $how at reply $reply");
            same(0, $cache->poolStats()['in_use'], "$verb, $how at reply $reply: in_use");
            $server->clear();
        }
        same(200, $cache->mSet($items), "$how at reply $reply: the next mSet");
        same($items, $cache->mGet(array_keys($items)), "$how at reply $reply: the next mGet");
    }
}
same('stays', $cache->get('kept'), 'what was there stays');
check(descriptors() <= $fds, 'no descriptor is leaked');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
