--TEST--
mSet(): values, tags and time to live for all of them
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
same(0, $cache->mSet([]), 'nothing');
same(0, $cache->mSet([], 1000, [k('t')]), 'nothing, with everything');
same(3, $cache->mSet([k('a') => 1, k('b') => 'two', k('c') => [3]]), 'three');
same([k('a') => 1, k('b') => 'two', k('c') => [3]], $cache->mGet([k('a'), k('b'), k('c')]), 'all there');
same(2, $cache->mSet([k('a') => 10, k('d') => 40], null, [k('t'), k('u')]), 'one new, one replaced');
same_set([k('a'), k('d')], $cache->searchAll([k('t'), k('u')]), 'tags');
same(1, $cache->mSet(tags: [k('v')], ttl_ms: 60_000, items: [k('e') => 5]), 'by name');
same([k('e')], $cache->keysByTag(k('v')), 'its tag');
same(2, $cache->mSet([k('x') => 1, k('y') => 2], 40), 'with a time to live');
check(eventually(fn () => $cache->mGet([k('x'), k('y')]) === []), 'they expire');
same(10, $cache->get(k('a')), 'others do not');

finish();
--EXPECT--
ok
