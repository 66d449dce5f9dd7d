--TEST--
Times to live: null is none, 0 and less are refused, entries expire
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
foreach ([0, -1, -5000, PHP_INT_MIN] as $ttl) {
    $what = "ttl $ttl";
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->set(k('a'), 1, [], $ttl), "set, $what", 'ttl');
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->add(k('a'), 1, [], $ttl), "add, $what", 'ttl');
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->mSet([k('a') => 1], $ttl), "mSet, $what", 'ttl');
}
same(false, $cache->has(k('a')), 'nothing was written');

$cache->set(k('short'), 1, [k('t')], 80);
$cache->add(k('short add'), 1, [k('t')], 80);
$cache->mSet([k('short mset') => 1], 80, [k('t')]);
$cache->increment(k('short incr'), 1, 80, [k('t')]);
$cache->set(k('none'), 1, [k('t')], null);
$cache->set(k('long'), 1, [k('t')], PHP_INT_MAX);
$cache->set(k('one'), 1, [k('t')], 1);
usleep(20_000);
same(false, $cache->has(k('one')), 'a millisecond passes');
usleep(130_000);
foreach (['short', 'short add', 'short mset', 'short incr'] as $name) {
    same(false, $cache->has(k($name)), "$name has expired");
}
same(true, $cache->has(k('none')), 'null is none');
same(true, $cache->has(k('long')), 'the greatest is accepted');
same_set([k('none'), k('long')], $cache->keysByTag(k('t')), 'the expired are listed no more');

// A later set without ttl takes the earlier one away.
$cache->set(k('again'), 1, [], 60);
$cache->set(k('again'), 2);
usleep(100_000);
same(2, $cache->get(k('again')), 'the ttl of the first set is gone');

finish();
--EXPECT--
ok
