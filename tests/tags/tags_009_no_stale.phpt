--TEST--
A put without the tag is not touched by an invalidation of what it had before
--SKIPIF--
<?php
if (getenv('TAGCACHE_TEST_SERVER') === 'real') {
    die('skip the real server keeps a stale entry in its tag index');
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->set(k('a'), 1, [k('x'), k('y')]);
same(1, $cache->invalidateTag(k('x')), 'invalidateTag');
same([], $cache->keysByTag(k('y')), 'gone from the other tag');
$cache->set(k('a'), 2);
same([], $cache->keysByTag(k('y')), 'stored anew without tags: still not listed');
same(0, $cache->invalidateTag(k('y')), 'and not removed');
same(2, $cache->get(k('a')), 'the value');

finish();
--EXPECT--
ok
