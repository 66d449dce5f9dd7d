--TEST--
add() stores only what is not there
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
same(true, $cache->add(k('a'), 'first'), 'add');
same(false, $cache->add(k('a'), 'second'), 'add again');
same('first', $cache->get(k('a')), 'the first stays');
same(false, $cache->add(k('a'), 'third', [k('t')], 1000), 'add again with tags and ttl');
same([], $cache->keysByTag(k('t')), 'a refused add adds no tag');
same(true, $cache->add(k('b'), ['x' => 1], [k('t')], 60_000), 'add with tags and ttl');
same(['x' => 1], $cache->get(k('b')), 'its value');
same([k('b')], $cache->keysByTag(k('t')), 'its tag');
same(true, $cache->add(key: k('c'), value: null, ttl_ms: 300), 'add a null that expires');
same(false, $cache->add(k('c'), 1), 'a stored null exists');
check(eventually(fn () => $cache->add(k('c'), 'after')), 'add after the expiry');
same('after', $cache->get(k('c')), 'its value');
$cache->delete(k('a'));
same(true, $cache->add(k('a'), 'again'), 'add after delete');

finish();
--EXPECT--
ok
