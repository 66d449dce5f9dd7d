--TEST--
A pipeline can be executed on both sides of a fork
--SKIPIF--
<?php extension_loaded("pcntl") or print "skip needs pcntl"; ?>
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 1]);
$cache->set('warm', 1);
$pipeline = $cache->pipeline()->increment('n')->get('warm');
$pid = pcntl_fork();
if ($pid === 0) {
    $got = $pipeline->execute();
    exit($got[1] === 1 && in_array($got[0], [1, 2], true) && $cache->poolStats()['opened'] === 1 ? 0 : 1);
}
$got = $pipeline->execute();
pcntl_waitpid($pid, $status);
same(0, pcntl_wexitstatus($status), 'the child');
same(1, $got[1], 'the parent');
same(2, $cache->get('n'), 'both counted');
same(2, $server->stats()['peers_total'], 'each on its own connection');

finish();
--EXPECT--
ok
