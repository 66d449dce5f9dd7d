--TEST--
A thread that holds the only connection in a batch can still call
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 1, 'timeout_ms' => 3000]);
$cache->mSet(['a' => 1, 'b' => 2]);
$server->rule('delay:ms=50,verb=GET');
$batch = $cache->batch();
$a = $batch->get('a');
$batch->send();
same(1, $cache->poolStats()['in_use'], 'it is out');
same(2, $cache->get('b'), 'get() drives the batch');
same([true, 1], [$a->ready(), $a->value()], 'which is done by that');

// A batch within a batch, and in another Fiber.
$outer = $cache->batch();
$x = $outer->get('a');
$outer->send();
$inner = $cache->batch();
$y = $inner->get('b');
$inner->send();
same([2, 1], [$y->value(), $x->value()], 'two batches');
$fibers = [];
foreach (['a' => 1, 'b' => 2] as $key => $want) {
    $fibers[] = $fiber = new Fiber(function () use ($cache, $key, $want) {
        $batch = $cache->batch();
        $future = $batch->get($key);
        $batch->send();
        Fiber::suspend();
        same($want, $future->value(), "Fiber $key");
    });
    $fiber->start();
}
same(1, $cache->get('a'), 'a call outside both');
array_map(fn ($fiber) => $fiber->resume(), $fibers);
same([true, true], array_map(fn ($fiber) => $fiber->isTerminated(), $fibers), 'both came to their end');
same([1, 2], $cache->pipeline(function ($p) use ($cache) {
    $batch = $cache->batch();
    $batch->get('a');
    $batch->send();
    $p->get('a')->get('b');
    $GLOBALS['open'] = $batch;
}), 'a pipeline beside an open batch');
same(true, $open->wait(), 'the batch beside it');

// What never answers ends the call in time, without waiting in line for ourselves.
$server->clear();
$server->rule('silent');
TagCache::drain();
$batch = $cache->batch();
$f = $batch->get('a');
$batch->send();
$impatient = $server->cache(['pool_size' => 1, 'timeout_ms' => 200]);
$e = throws_in_time(TagCache\PoolExhaustedException::class, fn () => $impatient->get('b'), 'the connection is held by this thread', 200);
same('acquire', $e->getPhase(), 'phase');
same(200, $e->getDeadlineMs(), 'limit');
unset($batch, $f);
$server->clear();
at_full_capacity($cache, 'afterwards');

finish();
--EXPECT--
ok
