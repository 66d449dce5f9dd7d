--TEST--
A process that was stopped past its time limit gets what arrived meanwhile
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

/** Stops this process in 60 ms, for 500 ms. */
function stopped_soon(): mixed
{
    $stop = sprintf('sleep 0.06; kill -STOP %1$d; sleep 0.5; kill -CONT %1$d', getmypid());
    return proc_open(['sh', '-c', $stop], [], $pipes);
}

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 300, 'pool_size' => 1]);
$cache->set('k', 'value');
$calls = [
    'GET' => ['a read', fn () => $cache->get('k'), 'value'],
    'INCR' => ['a write', fn () => $cache->increment('n'), 1],
    'ADD' => ['a pipeline', fn () => $cache->pipeline()->add('x', 1)->get('k')->execute(), [true, 'value']],
    'DEL' => ['a bulk', fn () => $cache->mDelete(['x', 'y']), 1],
];
foreach ($calls as $verb => [$what, $call, $expected]) {
    TagCache::drain();
    $server->rule("delay:ms=150,verb=$verb,times=1");
    $stopper = stopped_soon();
    [$got, $ms] = timed($call);
    same($expected, $got, "$what: $ms ms");
    check($ms > 450, "$what: the process was stopped: $ms ms");
    proc_close($stopper);
    $server->clear();
}
same(0, $cache->poolStats()['closed_broken'], 'no connection was lost');
at_full_capacity($cache, 'afterwards');

// Nothing had come, or not all of it: the limit holds.
foreach (['stall:reply=0', 'stall:reply=0,byte=3'] as $rule) {
    TagCache::drain();
    $server->rule($rule);
    $stopper = stopped_soon();
    throws(TagCache\TimeoutException::class, fn () => $cache->get('k'), $rule);
    proc_close($stopper);
    $server->clear();
}
// Of a pipeline, what had come is known.
TagCache::drain();
$server->rule('delay:ms=150,reply=0', 'stall:reply=2');
$stopper = stopped_soon();
$got = $cache->pipeline()->set('p', 1)->set('q', 2)->set('r', 3)->execute();
proc_close($stopper);
same([true, true, TagCache\TimeoutException::class], [$got[0], $got[1], get_debug_type($got[2])], 'a pipeline: ' . show($got));

finish();
--EXPECT--
ok
