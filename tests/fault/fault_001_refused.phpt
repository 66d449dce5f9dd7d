--TEST--
A server that refuses: ConnectionException at once
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$fds = descriptors();
$port = closed_port();
$options = ['host' => '127.0.0.1', 'port' => $port, 'pool_size' => 2, 'timeout_ms' => 1000, 'connect_backoff_ms' => 0];
$cache = new TagCache($options);
$calls = [
    'set' => fn () => $cache->set('k', 1), 'add' => fn () => $cache->add('k', 1), 'get' => fn () => $cache->get('k', 'default'),
    'has' => fn () => $cache->has('k'), 'delete' => fn () => $cache->delete('k'), 'increment' => fn () => $cache->increment('k'),
    'decrement' => fn () => $cache->decrement('k'), 'invalidateTag' => fn () => $cache->invalidateTag('t'),
    'invalidateTags' => fn () => $cache->invalidateTags(['t', 'u']), 'keysByTag' => fn () => $cache->keysByTag('t'),
    'searchAny' => fn () => $cache->searchAny(['t', 'u']), 'searchAll' => fn () => $cache->searchAll(['t', 'u']),
    'mGet' => fn () => $cache->mGet(['k', 'l']), 'mSet' => fn () => $cache->mSet(['k' => 1, 'l' => 2]), 'mDelete' => fn () => $cache->mDelete(['k', 'l']),
    'stats' => fn () => $cache->stats(), 'flush' => fn () => $cache->flush(),
];
foreach ($calls as $name => $call) {
    // Refusing takes no time, whatever the limits are.
    $thrown = throws_in_time(TagCache\ConnectionException::class, $call, $name, 0, early: true);
    same("127.0.0.1:$port", $thrown?->getPeer(), "$name: getPeer");
    check(stripos($thrown?->getMessage() ?? '', 'refused') !== false, "$name: the message says why: {$thrown?->getMessage()}");
}
same(0, $cache->poolStats()['in_use'], 'in_use');
same($fds, descriptors(), 'no descriptor is leaked');

// A server that begins to refuse: what is connected goes on, and it is found again.
$server = new Fault();
$cache = $server->cache();
$cache->set('kept', 'stays');
$server->rule('refuse');
same('stays', $cache->get('kept'), 'an existing connection goes on');
$server->kick();
throws_in_time(TagCache\ConnectionException::class, fn () => $cache->get('kept'), 'kicked and refused', 0, early: true);
$server->accept();
same('stays', $cache->get('kept'), 'nothing is lost');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
