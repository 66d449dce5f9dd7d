--TEST--
increment() and decrement() with tags and time to live
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
same(1, $cache->increment(k('n'), 1, 60_000, [k('a'), k('b')]), 'with tags');
same([k('n')], $cache->keysByTag(k('a')), 'tag a');
same([k('n')], $cache->keysByTag(k('b')), 'tag b');
same(2, $cache->increment(key: k('n'), tags: [k('c')]), 'with other tags');
same([k('n')], $cache->keysByTag(k('c')), 'tag c');
same(-5, $cache->decrement(k('d'), 5, null, [k('a')]), 'decrement with tags');
check(in_array(k('d'), $cache->keysByTag(k('a')), true), 'tag a of the decremented');
same(1, $cache->invalidateTag(k('c')), 'a counter goes with its tag');
same(false, $cache->has(k('n')), 'gone');
same(1, $cache->increment(k('n')), 'and counts anew');
foreach ([0, -1, PHP_INT_MIN] as $ttl) {
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->increment(k('n'), 1, $ttl), "ttl $ttl", 'ttl');
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->decrement(k('n'), 1, $ttl), "ttl $ttl", 'ttl');
}
same(1, $cache->get(k('n')), 'the refused did not count');

finish();
--EXPECT--
ok
