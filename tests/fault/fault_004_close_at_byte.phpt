--TEST--
The connection closed (FIN) at each byte of a reply
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->set('kept', 'stays', ['t']);
$fds = descriptors();
$class = TagCache\ConnectionException::class;
$calls = [
    'PUT' => [3, fn () => $cache->set('other', 1)],
    'ADD' => [7, fn () => $cache->add('kept', 1)],
    'GET' => [12, fn () => $cache->get('kept')],
    'DEL' => [7, fn () => $cache->delete('none')],
    'INCR' => [8, fn () => $cache->increment('n')],
    'INV_TAG' => [10, fn () => $cache->invalidateTag('none')],
    'KEYS_BY_TAG' => [10, fn () => $cache->keysByTag('t')],
    'STATS' => [16, fn () => $cache->stats()],
];
foreach ($calls as $verb => [$length, $call]) {
    for ($byte = 0; $byte < $length; $byte++) {
        $server->rule("close:reply=*,verb=$verb,byte=$byte");
        throws_in_time($class, $call, "$verb closed at byte $byte", 0, early: true);
        same(0, $cache->poolStats()['in_use'], "$verb closed at byte $byte: in_use");
        $server->clear();
        same('stays', $cache->get('kept'), "$verb closed at byte $byte: the next call");
    }
}
check(descriptors() <= $fds, 'no descriptor is leaked');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
