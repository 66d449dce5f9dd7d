--TEST--
The connection reset (RST) at each byte of a reply
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
    'GET' => [12, fn () => $cache->get('kept')],
    'INCR' => [8, fn () => $cache->increment('n')],
    'KEYS_BY_TAG' => [10, fn () => $cache->keysByTag('t')],
];
foreach ($calls as $verb => [$length, $call]) {
    for ($byte = 0; $byte < $length; $byte++) {
        $server->rule("reset:reply=*,verb=$verb,byte=$byte");
        throws_in_time($class, $call, "$verb reset at byte $byte", 0, early: true);
        same(0, $cache->poolStats()['in_use'], "$verb reset at byte $byte: in_use");
        $server->clear();
        same('stays', $cache->get('kept'), "$verb reset at byte $byte: the next call");
    }
}
check(descriptors() <= $fds, 'no descriptor is leaked');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
