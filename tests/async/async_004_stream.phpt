--TEST--
stream() becomes readable when there is something to do, and stays so at the end
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

function readable(mixed $stream, float $seconds): bool
{
    $read = [$stream];
    $none = null;
    return stream_select($read, $none, $none, (int) $seconds, (int) (($seconds - (int) $seconds) * 1e6)) === 1;
}

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 400, 'pool_size' => 1]);
$cache->set('k', 'value');
$open = descriptors();
$server->rule('delay:ms=150,verb=GET,times=1');
$batch = $cache->batch();
$future = $batch->get('k');
$stream = $batch->stream();
check(is_resource($stream) && get_resource_type($stream) === 'stream', 'a stream');
same(1, $cache->poolStats()['in_use'], 'stream() sends');
$rounds = 0;
while (!$batch->wait(0)) {
    check(readable($stream, 5), 'it becomes readable');
    $rounds++;
}
check($rounds >= 1 && $rounds < 10, "a few rounds, no busy loop: $rounds");
same('value', $future->value(), 'the value');
same([true, true], [readable($stream, 0), readable($stream, 0)], 'readable for good');
same(true, readable($batch->stream(), 0), 'another one too');

// Driven by somebody else: who waits for the stream is told.
$server->rule('delay:ms=50,verb=GET,times=1');
$batch = $cache->batch();
$future = $batch->get('k');
$stream = $batch->stream();
$batch->wait(0);
while (readable($stream, 0)) {
    $batch->wait(0);
}
same('value', $cache->get('k'), 'a call that needs the connection');
same(true, readable($stream, 0), 'told');
same([true, 'value'], [$future->ready(), $future->value()], 'it is done');

// The time limit is something to do as well.
$server->rule('silent');
TagCache::drain();
$batch = $cache->batch();
$future = $batch->get('k');
$start = hrtime(true);
$stream = $batch->stream();
while (!$batch->wait(0)) {
    if (!check(readable($stream, 5), 'the end of the time is told')) {
        break;
    }
}
$ms = (hrtime(true) - $start) / 1e6;
check($ms > 390 && $ms < 800, "at the time limit: $ms ms");
throws(TagCache\TimeoutException::class, fn () => $future->value(), 'the future');
fclose($stream);
same(true, $batch->wait(0), 'closing the stream does not hurt the batch');
$batch = $cache->batch();
$batch->get('k');
$stream = $batch->stream();
unset($batch);
same(0, $cache->poolStats()['in_use'], 'the stream does not keep the batch alive');
unset($stream, $future);
same($open - 1, descriptors(), 'no descriptor is left (the idle connection is gone)');

finish();
--EXPECT--
ok
