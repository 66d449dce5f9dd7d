--TEST--
set() and get() in every form of arguments
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
same(true, $cache->set(k('a'), 'value'), 'set');
same('value', $cache->get(k('a')), 'get');
same(true, $cache->set(k('a'), 'other'), 'set again');
same('other', $cache->get(k('a')), 'the later value');
same(true, $cache->set(k('b'), 'v', [k('t')]), 'set with tags');
same(true, $cache->set(k('c'), 'v', [k('t')], 60_000), 'set with tags and ttl');
same(true, $cache->set(k('d'), 'v', [], null), 'set with nothing given explicitly');
same(true, $cache->set(key: k('e'), value: 'named', ttl_ms: 60_000), 'named arguments');
same(true, $cache->set(tags: [k('t')], value: 'named 2', key: k('f')), 'named arguments in another order');
same('v', $cache->get(k('b')), 'get b');
same('v', $cache->get(k('c')), 'get c');
same('v', $cache->get(k('d')), 'get d');
same('named', $cache->get(key: k('e')), 'get e');
same('named 2', $cache->get(default: 1, key: k('f')), 'get f');
same_set([k('b'), k('c'), k('f')], $cache->keysByTag(k('t')), 'only the tagged have the tag');
same(null, $cache->get(k('nothing')), 'a miss');

throws(ArgumentCountError::class, fn () => $cache->set(k('a')), 'set without a value');
throws(ArgumentCountError::class, fn () => $cache->set(), 'set without anything');
throws(ArgumentCountError::class, fn () => $cache->get(), 'get without anything');
throws(ArgumentCountError::class, fn () => $cache->set(k('a'), 1, [], null, 5), 'set with too much');
throws(ArgumentCountError::class, fn () => $cache->get(k('a'), 1, 2), 'get with too much');
throws(Error::class, fn () => $cache->set(k('a'), 1, nonsense: 2), 'an unknown named argument', 'nonsense');
same('other', $cache->get(k('a')), 'the refused calls wrote nothing');

finish();
--EXPECT--
ok
