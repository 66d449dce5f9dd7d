--TEST--
In a forked child an open batch fails and leaves the parent's connections alone
--SKIPIF--
<?php extension_loaded("pcntl") or print "skip needs pcntl"; ?>
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['delay:ms=200,verb=GET']);
$cache = $server->cache(['pool_size' => 1]);
$cache->set('k', 'value');
$done = $cache->batch();
$known = $done->increment('n');
$done->wait();
$batch = $cache->batch();
[$before, $open] = [$batch->has('k'), $batch->get('k')];
$unsent = $cache->batch();
$later = $unsent->get('k');
$batch->send();
$pid = pcntl_fork();
if ($pid === 0) {
    $step = 1;
    try {
        $open->value();
    } catch (TagCache\ConnectionException $e) {
        $step = str_contains($e->getMessage(), 'parent') ? 0 : 2;
    }
    foreach ([fn () => $batch->wait(), fn () => $batch->stream()] as $n => $call) {
        try {
            $call();
        } catch (TagCache\ConnectionException $e) {
            continue;
        }
        // Once it is known to be lost, the batch is settled.
    }
    $ok = $step === 0 && $open->ready() && $known->value() === 1 && $later->value() === 'value' && $cache->get('k') === 'value'
        && $cache->batch()->get('k')->value() === 'value';
    unset($batch, $open, $before);
    exit($ok ? 0 : 1 + $step);
}
pcntl_waitpid($pid, $status);
same(0, pcntl_wexitstatus($status), 'the child');
same([true, 'value'], [$before->value(), $open->value()], 'the parent is answered');
same('value', $later->value(), 'and goes on');
same([0, 0], [$cache->poolStats()['closed_broken'], $cache->poolStats()['in_use']], 'its connection is well');

finish();
--EXPECT--
ok
