--TEST--
After a fork both sides go on, each on connections of its own
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['delay:ms=1']);
$cache = $server->cache(['pool_size' => 2]);
for ($n = 0; $n < 50; $n++) {
    $cache->set("parent $n", "value of parent $n");
    $cache->set("child $n", "value of child $n");
}
same(1, $server->stats()['peers'], 'one connection before');
$check = function (string $who) use ($cache): int {
    for ($round = 0; $round < 6; $round++) {
        for ($n = 0; $n < 50; $n++) {
            if ($cache->get("$who $n") !== "value of $who $n") {
                return 1;
            }
        }
        if (count($cache->mGet(array_map(fn ($n) => "$who $n", range(0, 49)))) !== 50) {
            return 2;
        }
    }
    return 0;
};
$pid = pcntl_fork();
if ($pid === 0) {
    $wrong = $check('child');
    exit($wrong === 0 && $cache->poolStats()['opened'] === 1 ? 0 : 10 + $wrong);
}
same(0, $check('parent'), 'the parent gets its own values');
same(1, $cache->poolStats()['opened'], 'the parent kept its connection');
pcntl_waitpid($pid, $status);
same(0, pcntl_wexitstatus($status), 'the child gets its own values, on a pool of its own');
same(2, $server->stats()['peers_total'], 'the server saw two peers');
check(eventually(fn () => $server->stats()['peers'] === 1), "the child's connection went with it");
for ($n = 0; $n < 20; $n++) {
    same("value of parent $n", $cache->get("parent $n"), 'the parent goes on after the child ended');
}
same(1, $cache->poolStats()['opened'], 'on the same connection');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
