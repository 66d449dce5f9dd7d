--TEST--
Every command in a pipeline gives what the method of TagCache gives
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$calls = [
    ['set', k('a'), ['list', 1], [k('t'), k('u')]],
    ['set', k('null'), null],
    ['get', k('a')],
    ['get', k('null'), 'default'],
    ['get', k('absent')],
    ['get', k('absent'), ['a default', 5]],
    ['add', k('a'), 1],
    ['add', k('b'), 2.5, [k('t')], 60_000],
    ['has', k('b')],
    ['has', k('absent')],
    ['increment', k('n')],
    ['increment', k('n'), 9, 60_000, [k('u')]],
    ['decrement', k('n'), 3],
    ['keysByTag', k('none')],
    ['keysByTag', k('u')],
    ['searchAll', [k('t'), k('u')]],
    ['searchAny', []],
    ['mSet', [k('m1') => 'one', k('m2') => [2]], 60_000, [k('m')]],
    ['mSetItems', [k('m3') => ['value' => ['value' => 1], 'tags' => [k('m')], 'ttl_ms' => 5000], k('m4') => ['value' => null]]],
    ['mGet', [k('m4'), k('absent'), k('m1'), k('m3'), k('m2')]],
    ['mAdd', [k('m1') => 'other', k('m5') => 'five'], null, [k('m')]],
    ['mDelete', [k('m1'), k('absent')]],
    ['mGet', []],
    ['mSet', []],
    ['mAdd', []],
    ['mDelete', []],
    ['delete', k('a')],
    ['delete', k('a')],
    ['invalidateTag', k('m')],
    ['invalidateTags', [k('t'), k('u')]],
    ['invalidateTags', [k('t'), k('u')], 'all'],
    ['invalidateTags', []],
];
// What the methods give, one after the other, and what the same calls give in a pipeline.
$clean = fn () => $cache->mDelete(array_map(k(...), ['a', 'b', 'n', 'null', 'm1', 'm2', 'm3', 'm4', 'm5']));
$clean();
$want = array_map(fn ($call) => $cache->{$call[0]}(...array_slice($call, 1)), $calls);
$clean();
$pipeline = $cache->pipeline();
same(TagCache\Pipeline::class, get_class($pipeline), 'what pipeline() makes');
foreach ($calls as $call) {
    same($pipeline, $pipeline->{$call[0]}(...array_slice($call, 1)), "$call[0] is fluent");
}
same(count($calls), count($pipeline), 'Countable');
$got = $pipeline->execute();
same(range(0, count($calls) - 1), array_keys($got), 'a list');
foreach ($calls as $n => $call) {
    same($want[$n], $got[$n], "call $n, $call[0]");
}
same(0, count($pipeline), 'empty afterwards');
same([], $pipeline->execute(), 'nothing to do');

// The two that others change under us.
[$stats] = $cache->pipeline()->stats()->execute();
same(['hits', 'misses', 'puts', 'invalidations', 'hit_ratio'], array_keys($stats), 'stats');
$in_class = fn (string $class) => array_map(fn ($method) => $method->getName(), (new ReflectionClass($class))->getMethods());
$commands = [...array_unique(array_column($calls, 0)), 'stats', 'flush'];
same_set([...$commands, 'execute', 'discard', 'count'], $in_class('TagCache\Pipeline'), 'methods of Pipeline');
same_set([...$commands, 'send', 'wait', 'stream', 'count'], $in_class('TagCache\Batch'), 'methods of Batch');
foreach ($commands as $name) {
    $parameters = fn ($of) => array_map(strval(...), (new ReflectionMethod($of, $name))->getParameters());
    same($parameters('TagCache'), $parameters('TagCache\Pipeline'), "parameters of Pipeline::$name()");
    same($parameters('TagCache'), $parameters('TagCache\Batch'), "parameters of Batch::$name()");
}

finish();
--EXPECT--
ok
