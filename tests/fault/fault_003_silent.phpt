--TEST--
A server that accepts and never answers: TimeoutException at the deadline
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 100]);
// The same pool, with time enough on a busy machine.
$patient = $server->cache(['timeout_ms' => 5000]);
$patient->set('kept', 'stays', ['t']);
$server->rule('silent');
$fds = descriptors();
$calls = [
    'set' => fn () => $cache->set('k', 1), 'add' => fn () => $cache->add('k', 1), 'get' => fn () => $cache->get('k', 'default'),
    'has' => fn () => $cache->has('k'), 'delete' => fn () => $cache->delete('k'), 'increment' => fn () => $cache->increment('k'),
    'decrement' => fn () => $cache->decrement('k'), 'invalidateTag' => fn () => $cache->invalidateTag('none'),
    'invalidateTags' => fn () => $cache->invalidateTags(['none', 'u']), 'keysByTag' => fn () => $cache->keysByTag('t'),
    'searchAny' => fn () => $cache->searchAny(['t', 'u']), 'searchAll' => fn () => $cache->searchAll(['t', 'u']),
    'mGet' => fn () => $cache->mGet(['k', 'l']), 'mSet' => fn () => $cache->mSet(['k' => 1, 'l' => 2]), 'mDelete' => fn () => $cache->mDelete(['k', 'l']),
    'stats' => fn () => $cache->stats(),
];
foreach ($calls as $name => $call) {
    $thrown = throws_in_time(TagCache\TimeoutException::class, $call, $name, 100);
    same(['read', 100], [$thrown->getPhase(), $thrown->getDeadlineMs()], "$name: phase and deadline");
}
check($cache->poolStats()['closed_broken'] >= count($calls), 'each connection was given up');
check(descriptors() <= $fds, 'no descriptor is leaked');
foreach ([
    'tagcache_get' => [null, fn () => tagcache_get($cache, 'k')], 'tagcache_put' => [false, fn () => tagcache_put($cache, 'k', 1)],
    'tagcache_bulk_get' => [[], fn () => tagcache_bulk_get($cache, ['k', 'l'])],
] as $name => [$failure, $call]) {
    same($failure, raises(E_WARNING, $call, $name, '100 ms'), $name);
}
check(eventually(fn () => $server->stats()['peers'] === 0), 'the server sees its peers go');
$server->clear();
same('stays', $patient->get('kept'), 'nothing is lost');
at_full_capacity($patient, 'at the end');

finish();
--EXPECT--
ok
