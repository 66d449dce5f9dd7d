--TEST--
Dropped unfinished, a batch closes its connections; its futures keep it alive
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 4]);
$cache->set('k', 1);
$server->rule('delay:ms=100,verb=GET');
$batch = $cache->batch();
$future = $batch->get('k');
$batch->send();
unset($batch);
same(1, $cache->poolStats()['in_use'], 'the future keeps it');
same(1, $future->value(), 'and is answered');
same([0, 1], [$cache->poolStats()['in_use'], $cache->poolStats()['idle']], 'the connection is home');

$broken = $cache->poolStats()['closed_broken'];
$batch = $cache->batch();
for ($n = 0; $n < 300; $n++) {
    $last = $batch->get("k$n");
}
$batch->send();
$out = $cache->poolStats()['in_use'];
same(2, $out, 'a large batch takes several connections, at most half of the pool');
unset($batch, $last);
same([0, $broken + 2], [$cache->poolStats()['in_use'], $cache->poolStats()['closed_broken']], 'closed');
$server->clear();
at_full_capacity($cache, 'dropped');

// Not sent: no trace.
$server->log();
$batch = $cache->batch();
$batch->set('never', 1);
unset($batch);
same([], $server->log(), 'nothing was sent');

// A circle that only the collector frees.
$server->rule('silent');
TagCache::drain();
(function () use ($cache) {
    $holder = new stdClass();
    $batch = $cache->batch();
    $holder->future = $batch->get('k', $holder);
    $batch->send();
})();
same(1, $cache->poolStats()['in_use'], 'before the collector');
gc_collect_cycles();
same(0, $cache->poolStats()['in_use'], 'after the collector');
$server->clear();
at_full_capacity($cache, 'collected');

finish();
--EXPECT--
ok
