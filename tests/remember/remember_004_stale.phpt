--TEST--
remember() gives the old value while a new one is made, and makes it early by chance
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$calls = 0;
$make = function () use (&$calls): string {
    $calls++;
    usleep(2000);
    return "made $calls";
};

// Over, but still usable: the old one while somebody else makes it.
$options = ['stale_ms' => 60_000, 'beta' => 0];
$key = k('stale');
same('made 1', $cache->remember($key, $make, [], 50, $options), 'made');
same('made 1', $cache->remember($key, $make, [], 50, $options), 'not over yet');
usleep(60_000);
raw("ADD\t$key~lock\t60000\tsomebody\t1");
[$value, $ms] = timed(fn () => $cache->remember($key, $make, [], 50, $options));
same('made 1', $value, 'somebody makes it: the old one');
check($ms < 500, "at once ($ms ms)");
same(1, $calls, 'and it is not made here');
raw("INV_TAG\tsomebody");
same('made 2', $cache->remember($key, $make, [], 50, $options), 'nobody makes it: the new one');
same('made 2', $cache->remember($key, $make, [], 50, $options), 'which is good again');

// Never early with beta 0, at once with a large one; in between by chance.
$key = k('early');
$early = fn (float $beta, int $ttl = 60_000) => $cache->remember($key, $make, [], $ttl, ['beta' => $beta]);
$calls = 0;
$early(0);
for ($n = 0; $n < 50; $n++) {
    $early(0);
}
same(1, $calls, 'beta 0');
$cache->delete($key);
$calls = 0;
for ($n = 0; $n < 50; $n++) {
    $early(1);
}
same(1, $calls, 'beta 1: 2 ms of 60 s are no time');
// It took 2 ms or more; with beta 1000 the average head start is 2 s, which is beyond 100 ms nearly always.
$cache->delete($key);
$calls = 0;
for ($n = 0; $n < 50; $n++) {
    $early(1000, 100);
}
check($calls > 25 && $calls <= 50, "beta 1000: made $calls of 50 times");

// Without a time to live there is nothing to be early for, and no note.
$cache->remember(k('for ever'), $make);
same(false, $cache->has(k('for ever') . '~note'), 'no note');
// A note that is none does no harm.
$cache->set(k('odd'), 'value');
$cache->set(k('odd') . '~note', 'nonsense');
same('value', $cache->remember(k('odd'), $make, [], 1000), 'a note of somebody else');

finish();
--EXPECT--
ok
