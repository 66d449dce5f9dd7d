--TEST--
Fork against the shared server: no foreign value in 8 processes
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['timeout_ms' => 20_000]);
$cache->set(k('warm'), 1);
$pids = [];
for ($child = 0; $child < 7; $child++) {
    $pids[] = $pid = pcntl_fork();
    if ($pid === 0) {
        break;
    }
}
$me = count($pids) . (end($pids) === 0 ? 'c' : 'p');
$foreign = 0;
for ($n = 0; $n < 1500; $n++) {
    $key = k("$me " . $n % 20);
    $cache->set($key, "$me/$n");
    $foreign += $cache->get($key) === "$me/$n" ? 0 : 1;
}
if (end($pids) === 0) {
    exit($foreign === 0 ? 0 : 1);
}
same(0, $foreign, 'the parent');
foreach ($pids as $pid) {
    pcntl_waitpid($pid, $status);
    same(0, pcntl_wexitstatus($status), 'a child');
}

finish();
--EXPECT--
ok
