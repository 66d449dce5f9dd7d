--TEST--
A Unix socket whose queue is full: connecting ends at its deadline
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$path = socket_path();
$server = new Fault(['blackhole'], $path);
$fds = descriptors();
foreach (["connect_timeout_ms=80&timeout_ms=5000", "timeout_ms=80"] as $query) {
    $cache = new TagCache("unix://$path?pool_size=2&connect_backoff_ms=0&$query");
    [$outcome, $ms] = timed(fn () => $cache->get('a'));
    check($outcome instanceof TagCache\ConnectionException, "$query: " . show($outcome));
    check($ms < 80 + 100, "$query took $ms ms");
    for ($n = 0; $n < 5; $n++) {
        check(timed(fn () => $cache->get('a'))[0] instanceof TagCache\ConnectionException, "$query: again");
    }
    same(0, $cache->poolStats()['in_use'], 'in_use');
}
check(descriptors() <= $fds + 2, 'no descriptor is leaked');
$server->clear();
check(eventually(fn () => timed(fn () => $cache->set('a', 1))[0] === true, 5), 'it works when the hole is gone');

finish();
--EXPECT--
ok
