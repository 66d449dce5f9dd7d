--TEST--
The tag "-" is a tag like any other
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

// A server of its own: the tag cannot carry the prefix of a test.
$server = new Fault();
$cache = $server->cache();
$cache->set('set', 1, ['-']);
$cache->add('add', 1, ['-']);
$cache->increment('incr', 1, null, ['-']);
$cache->mSet(['m1' => 1, 'm2' => 2], null, ['-']);
tagcache_put($cache, 'put', 1, ['-']);
$cache->set('both', 1, ['-', 'x']);
$cache->set('behind', 1, ['x', '-']);
$cache->set('none', 1);
$cache->set('twice', 1, ['-', '-']);
$all = ['set', 'add', 'incr', 'm1', 'm2', 'put', 'both', 'behind', 'twice'];
same_set($all, $cache->keysByTag('-'), 'keysByTag');
same_set($all, $cache->searchAny(['-']), 'searchAny');
same_set(['both', 'behind'], $cache->searchAll(['-', 'x']), 'searchAll');
same(2, $cache->invalidateTags(['-', 'x'], 'all'), 'invalidateTags by all');
same(7, $cache->invalidateTag('-'), 'invalidateTag');
same(1, $cache->get('none'), 'what has no tag stays');
$cache->set('again', 1, ['-']);
same(1, $cache->invalidateTags(['-']), 'invalidateTags by any');
same(1, $cache->get('none'), 'what has no tag stays');
same(['none' => 1], $cache->mGet([...$all, 'none', 'again']), 'all others are gone');

finish();
--EXPECT--
ok
