--TEST--
delete() and has()
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
same(false, $cache->delete(k('a')), 'delete of nothing');
$cache->set(k('a'), 1, [k('t')]);
same(true, $cache->has(k('a')), 'has');
same(true, $cache->delete(k('a')), 'delete');
same(false, $cache->has(k('a')), 'has after delete');
same(false, $cache->delete(key: k('a')), 'delete again');
same([], $cache->keysByTag(k('t')), 'the tag lists it no more');
$cache->set(k('big'), str_repeat('x', 100_000));
same(true, $cache->has(key: k('big')), 'has of a large value');

finish();
--EXPECT--
ok
