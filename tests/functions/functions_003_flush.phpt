--TEST--
tagcache_flush()
--CONFLICTS--
all
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
tagcache_put($cache, k('a'), 1);
check(tagcache_flush($cache) >= 1, 'how many went');
same(null, tagcache_get($cache, k('a')), 'gone');
same(0, tagcache_flush($cache), 'nothing left');

finish();
--EXPECT--
ok
