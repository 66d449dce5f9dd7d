--TEST--
The script works while the server does; wait() keeps its limit
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 3000]);
$cache->set('k', 'value');
$server->rule('delay:ms=300,verb=GET,times=1');
TagCache::drain();
$batch = $cache->batch();
$future = $batch->get('k');
same(false, $future->ready(), 'not before it is sent');
same(0, $cache->poolStats()['in_use'], 'nothing is used before it is sent');
[, $ms] = timed(fn () => $batch->send());
check($ms < 200, "send() does not wait: $ms ms");
same(1, $cache->poolStats()['in_use'], 'a connection is out');
same(false, $future->ready(), 'not yet');
[$done, $ms] = timed(fn () => $batch->wait(0));
check($done === false && $ms < 100, "wait(0) does not wait: $ms ms");
[$done, $ms] = timed(fn () => $batch->wait(0.05));
check($done === false && $ms > 45 && $ms < 250, "wait(0.05): $ms ms");
same(true, $batch->wait(), 'all there');
same([true, 'value'], [$future->ready(), $future->value()], 'the value');
same(0, $cache->poolStats()['in_use'], 'the connection is home');
same(true, $batch->wait(0), 'and again');

// value() and wait() send by themselves, and poll() of ready() alone comes to the end.
$future = $cache->batch()->get('k');
same('value', $future->value(), 'value() sends');
$batch = $cache->batch();
$future = $batch->get('k');
$batch->send();
check(eventually(fn () => $future->ready()), 'ready() alone');
same('value', $future->value(), 'after ready()');
$closed = TagCache\ClosedException::class;
throws($closed, fn () => $batch->get('k'), 'after send()', 'new one');
throws(TagCache\InvalidArgumentException::class, fn () => $batch->wait(-1), 'wait(-1)', '$seconds');
throws(TagCache\InvalidArgumentException::class, fn () => $batch->wait(NAN), 'wait(NAN)', '$seconds');
throws(TypeError::class, fn () => $batch->wait('soon'), 'wait(soon)', '$seconds');
same(true, $batch->wait(INF), 'wait(INF)');
at_full_capacity($cache, 'afterwards');

finish();
--EXPECT--
ok
