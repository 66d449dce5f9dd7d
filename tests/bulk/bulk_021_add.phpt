--TEST--
mAdd tells for each item whether it was stored
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->set(k('b'), 'old');
same([k('a') => true, k('b') => false, k('c') => true], $cache->mAdd([k('a') => 1, k('b') => 'new', k('c') => [3]], null, [k('t')]), 'mAdd');
same(['old', 1, [3]], array_values($cache->mGet([k('b'), k('a'), k('c')])), 'values');
same_set([k('a'), k('c')], $cache->keysByTag(k('t')), 'tags of what was stored');
same([k('a') => false, k('d') => true], $cache->mAdd([k('a') => 2, k('d') => 2], 30), 'with a time to live');
check(eventually(fn () => $cache->mAdd([k('d') => 3]) === [k('d') => true]), 'when it is over');
same(1, $cache->get(k('a')), 'not changed');
$cache->mDelete([12, '012', -3]);
same([12 => true, '012' => true, -3 => true], $cache->mAdd(['12' => 'a', '012' => 'b', -3 => 'c']), 'integer keys');
same([-3 => 'c', 12 => 'a', '012' => 'b'], $cache->mGet([-3, '12', '012']), 'read');
$cache->mDelete([12, '012', -3]);
same([], $cache->mAdd([]), 'nothing');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->mAdd([k('x') => 1, "a\n" => 1]), 'a bad key');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->mAdd([k('x') => 1], 0), 'a bad time to live');
throws(TagCache\SerializationException::class, fn () => $cache->mAdd([k('x') => 1, k('y') => fn () => 1]), 'a closure');
same(false, $cache->has(k('x')), 'nothing was stored');

finish();
--EXPECT--
ok
