--TEST--
A server that is absent when the handle is made is found when it is there
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$port = closed_port();
$options = ['host' => '127.0.0.1', 'port' => $port, 'pool_size' => 1, 'timeout_ms' => 1000];
$cache = new TagCache($options);
for ($n = 0; $n < 3; $n++) {
    throws(TagCache\ConnectionException::class, fn () => $cache->set('a', 1), 'absent', "127.0.0.1:$port");
}
$server = new Fault([], $port);
check(eventually(fn () => timed(fn () => $cache->set('a', 1))[0] === true), 'there');
same(1, $cache->get('a'), 'it works');
$server->stop();
throws(TagCache\ConnectionException::class, fn () => $cache->set('a', 2), 'gone');
throws(TagCache\ConnectionException::class, fn () => $cache->get('a'), 'still gone');
$server = new Fault([], $port);
check(eventually(fn () => timed(fn () => $cache->get('a'))[0] === null), 'back, and empty');
same(true, $cache->set('a', 3), 'set');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
