--TEST--
The tag "-" on the shared server
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->set(k('dash'), 1, ['-']);
$cache->set(k('none'), 1);
check(in_array(k('dash'), $cache->keysByTag('-'), true), 'it is listed');
check(!in_array(k('none'), $cache->keysByTag('-'), true), 'what has no tag is not');
$cache->set(k('both'), 1, ['-', k('x')]);
same([k('both')], $cache->searchAll(['-', k('x')]), 'searchAll');
same(1, $cache->invalidateTags(['-', k('x')], 'all'), 'invalidateTags by all');
same([k('dash') => 1, k('none') => 1], $cache->mGet([k('dash'), k('both'), k('none')]), 'only that one went');
$cache->delete(k('dash'));

finish();
--EXPECT--
ok
