--TEST--
Every put replaces the tags of the key
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->set(k('a'), 1, [k('old'), k('both')]);
$cache->set(k('a'), 2, [k('new'), k('both')]);
same([], $cache->keysByTag(k('old')), 'the old tag is gone');
same([k('a')], $cache->keysByTag(k('new')), 'the new tag');
same([k('a')], $cache->keysByTag(k('both')), 'the one of both');
same(0, $cache->invalidateTag(k('old')), 'invalidating the old tag removes nothing');
same(2, $cache->get(k('a')), 'the value');
$cache->set(k('a'), 3);
same([], $cache->keysByTag(k('both')), 'a put without tags takes them away');
same(0, $cache->invalidateTags([k('new'), k('both')]), 'invalidating them removes nothing');
same(3, $cache->get(k('a')), 'the value');
$cache->set(k('n'), 1, [k('old')]);
$cache->increment(k('n'), 1, null, [k('new')]);
same([], $cache->keysByTag(k('old')), 'increment with tags replaces them');
same([k('n')], $cache->keysByTag(k('new')), 'the new tag');
$cache->add(k('n'), 1, [k('refused')]);
same([], $cache->keysByTag(k('refused')), 'a refused add changes nothing');
$cache->delete(k('n'));
same([], $cache->keysByTag(k('new')), 'delete takes the tags along');

finish();
--EXPECT--
ok
