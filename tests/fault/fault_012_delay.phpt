--TEST--
A slow server within the deadline is no error
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 3000]);
$server->rule('delay:ms=150');
foreach ([
    'set' => [true, fn () => $cache->set('k', 'v', ['t'])], 'get' => ['v', fn () => $cache->get('k')], 'add' => [false, fn () => $cache->add('k', 1)],
    'increment' => [1, fn () => $cache->increment('n')], 'keysByTag' => [['k'], fn () => $cache->keysByTag('t')],
    'mGet' => [['k' => 'v'], fn () => $cache->mGet(['k', 'none'])], 'delete' => [true, fn () => $cache->delete('k')],
] as $name => [$want, $call]) {
    [$outcome, $ms] = timed($call);
    same($want, $outcome, $name);
    check($ms >= 148, "$name waited: $ms ms");
}
same([1, 0], [$cache->poolStats()['opened'], $cache->poolStats()['closed_broken']], 'on one connection');
// Too slow for one handle and not for another, on one pool.
throws_in_time(TagCache\TimeoutException::class, fn () => $server->cache(['timeout_ms' => 50])->get('n'), 'an impatient handle', 50);
same(1, $cache->get('n'), 'a patient one');
$server->clear();
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
