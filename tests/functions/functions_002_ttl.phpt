--TEST--
In the functions a time to live of 0 or less is none, as it was
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
foreach ([null, 0, -1, -60_000, PHP_INT_MIN] as $n => $ttl) {
    same(true, tagcache_put($cache, k("p$n"), $n, [k('t')], $ttl), 'tagcache_put, ttl ' . show($ttl));
    same(1, tagcache_bulk_put($cache, [k("b$n") => $n], $ttl), 'tagcache_bulk_put, ttl ' . show($ttl));
}
same(true, tagcache_put($cache, k('short'), 1, [], 50), 'a short one');
same(1, tagcache_bulk_put($cache, [k('short 2') => 1], 50), 'a short one in a bulk');
usleep(100_000);
for ($n = 0; $n < 5; $n++) {
    same($n, tagcache_get($cache, k("p$n")), 'it stays');
    same($n, tagcache_get($cache, k("b$n")), 'it stays');
}
same(null, tagcache_get($cache, k('short')), 'the short one expires');
same(null, tagcache_get($cache, k('short 2')), 'in the bulk too');

finish();
--EXPECT--
ok
