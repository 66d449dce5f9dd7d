--TEST--
A reply that stops at some byte: TimeoutException, and its beginning is never taken for a value
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 60]);
// The same pool, with time enough on a busy machine.
$patient = $server->cache(['timeout_ms' => 5000]);
$patient->set('kept', 'stays');
$fds = descriptors();
foreach ([0, 1, 5, 6, 7, 10, 11] as $byte) {
    $server->rule("stall:reply=*,verb=GET,byte=$byte");
    $thrown = throws_in_time(TagCache\TimeoutException::class, fn () => $cache->get('kept'), "stalled at byte $byte", 60);
    same('read', $thrown->getPhase(), 'phase');
    $server->clear();
    same('stays', $patient->get('kept'), "stalled at byte $byte: the next call gets its own reply");
}
// A bulk that stops in its middle.
$items = array_fill_keys(array_map(fn ($n) => "k$n", range(0, 99)), str_repeat('v', 1000));
$patient->mSet($items);
$server->rule('stall:reply=50,verb=GET,byte=500,conn=' . $server->stats()['peers_total']);
TagCache::drain();
$thrown = throws(TagCache\TimeoutException::class, fn () => $cache->mGet(array_keys($items)), 'a bulk that stops');
same(['read', 60], [$thrown->getPhase(), $thrown->getDeadlineMs()], 'phase and deadline');
$server->clear();
same($items, $patient->mGet(array_keys($items)), 'the next bulk is whole');
check(descriptors() <= $fds, 'no descriptor is leaked');
at_full_capacity($patient, 'at the end');

finish();
--EXPECT--
ok
