--TEST--
A byte now and then does not extend the deadline
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 120]);
$patient = $server->cache(['timeout_ms' => 20_000]);
$patient->set('kept', str_repeat('x', 200));
$server->rule('dribble:ms=5');
$calls = ['get' => fn () => $cache->get('kept'), 'has' => fn () => $cache->has('kept'), 'mGet' => fn () => $cache->mGet(['kept', 'kept2'])];
foreach ($calls as $name => $call) {
    throws_in_time(TagCache\TimeoutException::class, $call, $name, 120);
}
// A call that is slow but within its time.
[$outcome, $ms] = timed(fn () => $patient->get('kept'));
same(str_repeat('x', 200), $outcome, 'with patience');
check($ms > 500, "it took its time: $ms ms");
$server->clear();
at_full_capacity($patient, 'at the end');

finish();
--EXPECT--
ok
