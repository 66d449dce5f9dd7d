--TEST--
The functions of the old extension
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = tagcache_create(address());
same(TagCache::class, get_class($cache), 'tagcache_create gives a TagCache');
same(true, tagcache_put($cache, k('a'), 'value', [k('t')], 60_000), 'tagcache_put');
same(true, tagcache_put($cache, k('b'), ['array'], [k('t')]), 'without ttl');
same(true, tagcache_put($cache, k('c'), null), 'without tags');
same(true, tagcache_put(handle: $cache, key: k('d'), value: 4, ttl_ms: null), 'by name');
same('value', tagcache_get($cache, k('a')), 'tagcache_get');
same(['array'], tagcache_get(key: k('b'), handle: $cache), 'by name');
same(null, tagcache_get($cache, k('nothing')), 'a miss');
same_set([k('a'), k('b')], tagcache_keys_by_tag($cache, k('t')), 'tagcache_keys_by_tag');
same([], tagcache_keys_by_tag($cache, k('nobody')), 'of nobody');
same_set([k('a'), k('b')], tagcache_search_any($cache, [k('t'), k('nobody')]), 'tagcache_search_any');
same([], tagcache_search_all($cache, [k('t'), k('nobody')]), 'tagcache_search_all');
same([], tagcache_search_any($cache, []), 'tagcache_search_any of none');
same([], tagcache_search_all($cache, []), 'tagcache_search_all of none');
same(true, tagcache_delete($cache, k('c')), 'tagcache_delete');
same(false, tagcache_delete($cache, k('c')), 'again');
same(2, tagcache_invalidate_tag($cache, k('t')), 'tagcache_invalidate_tag');
same(0, tagcache_invalidate_tag($cache, k('t')), 'again');
same(3, tagcache_bulk_put($cache, [k('x') => 1, k('y') => 'two', k('z') => [3]]), 'tagcache_bulk_put');
same(1, tagcache_bulk_put($cache, [k('w') => 1], 60_000), 'with a ttl');
same(0, tagcache_bulk_put($cache, []), 'of nothing');
same([k('z') => [3], k('x') => 1], tagcache_bulk_get($cache, [k('z'), k('nothing'), k('x')]), 'tagcache_bulk_get');
same([], tagcache_bulk_get($cache, []), 'of nothing');
$stats = tagcache_stats($cache);
same(['hits', 'misses', 'puts', 'invalidations', 'hit_ratio'], array_keys($stats), 'tagcache_stats');
check($stats['puts'] > 0, 'puts');
same(null, tagcache_close($cache), 'tagcache_close');
same(null, tagcache_close($cache), 'twice');

finish();
--EXPECT--
ok
