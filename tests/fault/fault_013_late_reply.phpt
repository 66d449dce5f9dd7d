--TEST--
A reply that comes after its call timed out is nobody's
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 60, 'pool_size' => 1]);
$cache->mSet(['a' => 'A', 'b' => 'B']);
$server->rule('delay:ms=150');
for ($n = 0; $n < 3; $n++) {
    throws(TagCache\TimeoutException::class, fn () => $cache->get('a'), "get $n");
}
$server->clear();
for ($n = 0; $n < 30; $n++) {
    same('B', $cache->get('b'), 'b is B, whatever still arrives');
    usleep(10_000);
}
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
