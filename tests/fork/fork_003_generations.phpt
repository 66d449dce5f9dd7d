--TEST--
Children of children, handles made before and after, closed and dropped on either side
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$other = $server->cache(['timeout_ms' => 1500]);
$cache->set('a', 1);
$pid = pcntl_fork();
if ($pid === 0) {
    $fine = $cache->increment('child') === 1 && $other->get('a') === 1;
    $own = $server->cache();
    $fine = $fine && $own->get('a') === 1 && $own->poolStats()['opened'] === 1;
    $grandchild = pcntl_fork();
    if ($grandchild === 0) {
        $fine = $fine && $cache->increment('grandchild') === 1 && $own->get('a') === 1 && $other->get('child') === 1;
        $fine = $fine && $cache->poolStats()['opened'] === 1;
        exit($fine ? 0 : 1);
    }
    for ($n = 0; $n < 50; $n++) {
        $fine = $fine && $cache->get('a') === 1;
    }
    $cache->close();
    unset($other, $own);
    pcntl_waitpid($grandchild, $status);
    exit($fine && pcntl_wexitstatus($status) === 0 ? 0 : 1);
}
for ($n = 0; $n < 50; $n++) {
    same(1, $cache->get('a'), 'the parent');
}
pcntl_waitpid($pid, $status);
same(0, pcntl_wexitstatus($status), 'child and grandchild');
same(1, $cache->get('a'), "the child's close() does not touch the parent's handle");
same(1, $other->get('grandchild'), 'what the grandchild wrote');
same(1, $cache->poolStats()['opened'], 'the parent used one connection');
same(3, $server->stats()['peers_total'], 'three peers');

// A handle that is first used in the child.
$fresh = $server->cache(['pool_size' => 7]);
$pid = pcntl_fork();
if ($pid === 0) {
    exit($fresh->get('a') === 1 ? 0 : 1);
}
same(1, $fresh->get('a'), 'the parent');
pcntl_waitpid($pid, $status);
same(0, pcntl_wexitstatus($status), 'the child');

// A child that does nothing with the cache, and one that drains.
foreach ([fn () => 0, fn () => TagCache::drain() >= 0 ? 0 : 1, fn () => count($cache->poolStats()) > 0 ? 0 : 1] as $n => $act) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        exit($act());
    }
    pcntl_waitpid($pid, $status);
    same(0, pcntl_wexitstatus($status), "child $n");
    same(1, $cache->get('a'), "the parent after child $n");
}
same(1, $cache->poolStats()['opened'], 'the parent still has its connection');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
