--TEST--
Twenty children at once, and no value crosses
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 4, 'timeout_ms' => 20_000]);
$cache->set('shared', 'of all');
$pids = [];
for ($child = 0; $child < 20; $child++) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        mt_srand($child);
        for ($n = 0; $n < 150; $n++) {
            $key = "c$child/" . mt_rand(0, 9);
            $value = "$key " . str_repeat((string) $child, mt_rand(0, 5000));
            if ($cache->set($key, $value, ["tag$child"]) !== true || $cache->get($key) !== $value || $cache->get('shared') !== 'of all') {
                exit(1);
            }
            if ($cache->mGet([$key, 'none', 'shared']) !== [$key => $value, 'shared' => 'of all']) {
                exit(2);
            }
            $cache->increment('total');
        }
        foreach ($cache->keysByTag("tag$child") as $key) {
            if (!str_starts_with($key, "c$child/")) {
                exit(3);
            }
        }
        exit(0);
    }
    $pids[] = $pid;
}
while (count($pids) > 0) {
    for ($n = 0; $n < 20; $n++) {
        $value = $cache->get('shared');
        $value === 'of all' || same('of all', $value, 'the parent reads on meanwhile');
    }
    $pid = pcntl_waitpid(-1, $status, WNOHANG);
    if ($pid > 0) {
        same(0, pcntl_wexitstatus($status), 'a child');
        check(pcntl_wifexited($status), 'it ended in order');
        $pids = array_diff($pids, [$pid]);
    }
}
same(3000, $cache->get('total'), 'every increment counted once');
same(1, $cache->poolStats()['opened'], 'the parent used one connection');
same(21, $server->stats()['peers_total'], 'the server saw a peer for each');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
