--TEST--
At the time limit, what was answered is there, and the rest says so
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['stall:reply=2']);
$cache = $server->cache(['timeout_ms' => 300, 'pool_size' => 1]);
$batch = $cache->batch();
$futures = [$batch->set('a', 1), $batch->increment('n'), $batch->increment('m'), $batch->mDelete(['x']), $batch->mAdd([])];
[$done, $ms] = timed(fn () => $batch->wait());
check($done === true && $ms > 290 && $ms < 700, "settled at the limit: $ms ms");
same([true, 1], [$futures[0]->value(), $futures[1]->value()], 'what was answered');
foreach ([2, 3] as $n) {
    same(true, $futures[$n]->ready(), "future $n is settled");
    $e = throws(TagCache\TimeoutException::class, fn () => $futures[$n]->value(), "future $n", '2 of 4');
    same(['read', 300], [$e->getPhase(), $e->getDeadlineMs()], "future $n");
}
same([], $futures[4]->value(), 'what needed no answer');
same([0, 1], [$cache->poolStats()['in_use'], $cache->poolStats()['closed_broken']], 'closed');

foreach (['close:reply=1,byte=0' => TagCache\ConnectionException::class, 'inject:reply=0,text=VALUE\tSTOLEN\n' => TagCache\ProtocolException::class] as $rule => $class) {
    $server->clear();
    $server->rule($rule);
    TagCache::drain();
    $batch = $cache->batch();
    $futures = [$batch->get('a'), $batch->get('b'), $batch->get('c')];
    foreach ($futures as $n => $future) {
        throws($class, fn () => $future->value(), "$rule: future $n");
    }
    same(true, $batch->wait(), "$rule: wait() does not throw");
}
$server->clear();
at_full_capacity($cache, 'afterwards');

// What the server refuses belongs to its future alone.
$cache->set('text', 'x');
$batch = $cache->batch();
[$bad, $good] = [$batch->increment('text'), $batch->get('text')];
throws(TagCache\ServerException::class, fn () => $bad->value(), 'refused', 'text');
same('x', $good->value(), 'the other');
// What can't be added adds nothing.
$batch = $cache->batch();
throws(TagCache\SerializationException::class, fn () => $batch->set('k', fn () => 1), 'a closure');
throws(TagCache\InvalidArgumentException::class, fn () => $batch->get(''), 'an empty key');
same(0, count($batch), 'nothing was added');

// Nobody there: send() throws, and may be called again.
$port = closed_port();
$batch = (new TagCache(['host' => '127.0.0.1', 'port' => $port, 'timeout_ms' => 1000, 'connect_backoff_ms' => 0]))->batch();
$future = $batch->increment('late');
throws(TagCache\ConnectionException::class, fn () => $batch->send(), 'nobody listens');
throws(TagCache\ConnectionException::class, fn () => $future->value(), 'value()');
same(false, $future->ready(), 'not settled');
$batch->increment('late');
$late = new Fault([], $port);
same([true, 1], [$batch->wait(), $future->value()], 'when it is there');

finish();
--EXPECT--
ok
