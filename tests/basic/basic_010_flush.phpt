--TEST--
flush() empties the server
--CONFLICTS--
all
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->set(k('a'), 1, [k('t')]);
$cache->set(k('b'), 2);
check($cache->flush() >= 2, 'how many went');
same(false, $cache->has(k('a')), 'a is gone');
same(null, $cache->get(k('b')), 'b is gone');
same([], $cache->keysByTag(k('t')), 'the tag is empty');
same(0, $cache->flush(), 'flush of an empty server');
$cache->set(k('a'), 1);
same(1, $cache->get(k('a')), 'it works on');

finish();
--EXPECT--
ok
