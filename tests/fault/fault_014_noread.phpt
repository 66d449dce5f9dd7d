--TEST--
A server that stops reading: a large put ends at its deadline
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 150]);
$server->cache(['timeout_ms' => 5000])->set('kept', 'stays');
$server->rule('noread');
TagCache::drain();
$fds = descriptors();
$big = str_repeat('x', 8_000_000);
foreach ([
    'set' => fn () => $cache->set('big', $big), 'mSet' => fn () => $cache->mSet(['a' => $big, 'b' => 1]), 'tags' => fn () => $cache->set('k', $big, ['t']),
] as $name => $call) {
    $thrown = throws_in_time(TagCache\TimeoutException::class, $call, $name, 150);
    same(['write', 150], [$thrown->getPhase(), $thrown->getDeadlineMs()], "$name: phase and deadline");
}
// What fits into the buffers is sent, then the reply is missing.
$thrown = throws_in_time(TagCache\TimeoutException::class, fn () => $cache->get('kept'), 'get', 150);
same('read', $thrown->getPhase(), 'get: phase');
$keys = array_map(fn ($n) => str_repeat("k$n", 1000), range(0, 1500));
throws_in_time(TagCache\TimeoutException::class, fn () => $cache->mGet($keys), 'mGet with long keys', 150);
check(descriptors() <= $fds, 'no descriptor is leaked');
$server->clear();
$cache = $server->cache(['timeout_ms' => 5000]);
same('stays', $cache->get('kept'), 'nothing is lost');
same(true, $cache->set('big', $big), 'the large one goes through when the server reads');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
