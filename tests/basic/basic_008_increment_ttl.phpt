--TEST--
increment() without a ttl keeps it and restarts its clock; a rate limiter expires
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();

// Restart: each increment comes well within the ttl of 500 ms, the whole takes longer.
same(1, $cache->increment(k('n'), 1, 500), 'first');
$start = hrtime(true);
$count = 1;
while ((hrtime(true) - $start) / 1e6 < 800) {
    usleep(30_000);
    $count++;
    same($count, $cache->increment(k('n')), 'it lives on while it is incremented');
}
check(eventually(fn () => !$cache->has(k('n'))), 'and expires when it is not: the ttl was kept');

// A window in the key: the limiter of the documentation, with a window of 200 ms.
$window = fn (): int => intdiv((int) (microtime(true) * 1000), 200);
$hit = fn (): int => $cache->increment(k('hits:' . $window()), 1, 400);
while ((int) (microtime(true) * 1000) % 200 > 20) {
    usleep(1000);
}
$first = $window();
$counts = [$hit(), $hit(), $hit()];
if ($window() === $first) {
    same([1, 2, 3], $counts, 'hits in one window');
}
while ($window() === $first) {
    usleep(1000);
}
same(1, $hit(), 'the next window begins at 1');
check(eventually(fn () => !$cache->has(k("hits:$first"))), 'the counter of the old window expires');

finish();
--EXPECT--
ok
