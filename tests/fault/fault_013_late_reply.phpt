--TEST--
A reply that comes after its call timed out is nobody's
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 60, 'pool_size' => 1]);
// The same pool, with time enough on a busy machine.
$patient = $server->cache(['timeout_ms' => 5000, 'pool_size' => 1]);
$patient->mSet(['a' => 'A', 'b' => 'B']);
$server->rule('delay:ms=150');
for ($n = 0; $n < 3; $n++) {
    throws(TagCache\TimeoutException::class, fn () => $cache->get('a'), "get $n");
}
$server->clear();
for ($n = 0; $n < 30; $n++) {
    same('B', $patient->get('b'), 'b is B, whatever still arrives');
    usleep(10_000);
}
at_full_capacity($patient, 'at the end');

finish();
--EXPECT--
ok
