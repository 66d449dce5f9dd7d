--TEST--
Every command in a batch gives what the method of TagCache gives
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
// No two of them on the same entry or tag: in a batch they may overtake each other.
$prepare = function () use ($cache) {
    $cache->mDelete(array_map(k(...), ['set', 'added', 'n', 'd', 'm1', 'm2', 'm3', 'add1', 'add2']));
    $cache->mSet([k('there') => ['a' => 1], k('null') => null, k('add1') => 1, k('gone') => 1, k('g1') => 1, k('g2') => 2]);
    $cache->mSet([k('t1') => 1, k('t2') => 1], null, [k('list'), k('other')]);
    $cache->mSet([k('i1') => 1, k('i2') => 1], null, [k('inv')]);
    $cache->mSet([k('j1') => 1], null, [k('inv all'), k('inv all 2')]);
};
$calls = [
    ['set', k('set'), 'x', [k('tag')], 60_000],
    ['add', k('added'), 'x'],
    ['get', k('there')],
    ['get', k('null'), 'default'],
    ['get', k('absent')],
    ['get', k('absent'), ['default']],
    ['has', k('there')],
    ['has', k('absent')],
    ['delete', k('gone')],
    ['increment', k('n'), 5],
    ['decrement', k('d')],
    ['invalidateTag', k('inv')],
    ['invalidateTags', [k('inv all'), k('inv all 2')], 'all'],
    ['invalidateTags', []],
    ['keysByTag', k('nothing')],
    ['searchAny', []],
    ['mSet', [k('m1') => 1, k('m2') => [2]]],
    ['mSetItems', [k('m3') => ['value' => 3, 'tags' => [k('tag 3')]]]],
    ['mGet', [k('null'), k('absent'), k('there')]],
    ['mAdd', [k('add1') => 1, k('add2') => 2]],
    ['mDelete', [k('g1'), k('g2'), k('absent')]],
    ['mGet', []],
];
$prepare();
$want = array_map(fn ($call) => $cache->{$call[0]}(...array_slice($call, 1)), $calls);
$prepare();
$batch = $cache->batch();
$futures = array_map(fn ($call) => $batch->{$call[0]}(...array_slice($call, 1)), $calls);
same(count($calls), count($batch), 'Countable');
same($batch, $batch->send(), 'send is fluent');
same(true, $batch->wait(), 'wait');
foreach ($calls as $n => $call) {
    same(true, $futures[$n]->ready(), "call $n, $call[0], is ready");
    same($want[$n], $futures[$n]->value(), "call $n, $call[0]");
    same($want[$n], $futures[$n]->value(), "call $n, $call[0], again");
}
$batch = $cache->batch();
[$any, $all, $stats] = [$batch->searchAny([k('list'), k('other')]), $batch->searchAll([k('list'), k('other')]), $batch->stats()];
same_set([k('t1'), k('t2')], $any->value(), 'searchAny');
same_set([k('t1'), k('t2')], $all->value(), 'searchAll');
same(['hits', 'misses', 'puts', 'invalidations', 'hit_ratio'], array_keys($stats->value()), 'stats');

// The object that was read is the same at each call.
$cache->set(k('object'), new ArrayObject([1]));
$future = $cache->batch()->get(k('object'));
check($future->value() === $future->value(), 'one object');
same(true, $cache->batch()->wait(), 'an empty batch is done');
same(0, count($cache->batch()->send()), 'and can be sent');

finish();
--EXPECT--
ok
