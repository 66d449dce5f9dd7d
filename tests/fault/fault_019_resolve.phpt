--TEST--
A host name without an address: ConnectionException within the deadline
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$cache = new TagCache(['host' => 'no-such-host.invalid', 'timeout_ms' => 1000, 'connect_timeout_ms' => 1000, 'connect_backoff_ms' => 0, 'pool_size' => 2]);
for ($n = 0; $n < 4; $n++) {
    [$outcome, $ms] = timed(fn () => $cache->get('a'));
    check($outcome instanceof TagCache\ConnectionException, 'a ConnectionException or a kind of it: ' . show($outcome));
    check($ms < 1100, "it took $ms ms");
    check(str_contains($outcome->getMessage(), 'no-such-host.invalid'), 'it names the host: ' . show($outcome));
}
same(0, $cache->poolStats()['in_use'], 'in_use');
same('localhost', explode(':', (new TagCache(['host' => 'localhost']))->poolStats()['endpoint'])[0], 'a name is kept as it is given');

finish();
--EXPECT--
ok
