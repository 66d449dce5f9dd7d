--TEST--
A script that looks after the time limit gets what had arrived before it
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 200, 'pool_size' => 2]);
$cache->set('k', 'value');
$looks = [
    'value()' => fn ($batch) => null,
    'wait()' => fn ($batch) => same(true, $batch->wait(), 'wait()'),
    'wait(0)' => fn ($batch) => same(true, $batch->wait(0), 'wait(0)'),
    'stream()' => function ($batch) {
        $read = [$batch->stream()];
        $none = null;
        same(1, stream_select($read, $none, $none, 5), 'stream() is readable');
        same(true, $batch->wait(0), 'wait(0) of a stream');
    },
];
foreach ($looks as $name => $look) {
    $batch = $cache->batch();
    $counted = $batch->increment("n of $name");
    $read = $batch->mGet(['k', 'absent']);
    $batch->send();
    usleep(350_000);
    $look($batch);
    same([1, ['k' => 'value']], [$counted->value(), $read->value()], "$name: what had arrived");
    same(1, $cache->get("n of $name"), "$name: and was carried out");
}
// ready() alone.
$batch = $cache->batch();
$future = $batch->get('k');
$batch->send();
usleep(350_000);
same([true, 'value'], [$future->ready(), $future->value()], 'ready()');
// Another call of the thread drives the batch first.
$one = $server->cache(['timeout_ms' => 200, 'pool_size' => 1]);
$batch = $one->batch();
$future = $batch->add('added', 1);
$batch->send();
usleep(350_000);
same('value', $one->get('k'), 'a call that needs the connection');
same(true, $future->value(), 'the batch that it drove');
same(0, $one->poolStats()['closed_broken'] + $cache->poolStats()['closed_broken'], 'no connection was lost');

// A part of it: what was carried out is said, and what is not known.
TagCache::drain();
$server->rule('stall:reply=2');
$batch = $one->batch();
$futures = [$batch->set('a', 1), $batch->set('b', 2), $batch->set('c', 3)];
$batch->send();
usleep(350_000);
same([true, true], [$futures[0]->value(), $futures[1]->value()], 'what had come');
throws(TagCache\TimeoutException::class, fn () => $futures[2]->value(), 'what had not', '2 of 3');
$server->clear();
at_full_capacity($one, 'afterwards');

finish();
--EXPECT--
ok
