--TEST--
Fork against the shared server: no foreign value in 8 processes
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['timeout_ms' => 20_000]);
$work = function (string $who) use ($cache): int {
    $wrong = 0;
    for ($n = 0; $n < 150; $n++) {
        $key = k("$who " . $n % 20);
        $cache->set($key, "$who/$n");
        $wrong += $cache->get($key) === "$who/$n" ? 0 : 1;
    }
    return $wrong;
};
// Every round begins with a connection that all of them would share.
for ($round = 0; $round < 10; $round++) {
    $cache->set(k('warm'), $round);
    $pids = [];
    for ($child = 0; $child < 7; $child++) {
        $pid = pcntl_fork();
        if ($pid === 0) {
            exit($work("child $child") === 0 ? 0 : 1);
        }
        $pids[] = $pid;
    }
    same(0, $work('parent'), "round $round: the parent");
    foreach ($pids as $pid) {
        pcntl_waitpid($pid, $status);
        same(0, pcntl_wexitstatus($status), "round $round: a child");
    }
}
same(1, (new TagCache(address() + ['timeout_ms' => 20_000]))->poolStats()['opened'], 'the parent kept its one connection');

finish();
--EXPECT--
ok
