--TEST--
Tags work in every way of putting
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$tag = k('tag');
$also = k('also');
$cache->set(k('set'), 1, [$tag, $also]);
$cache->add(k('add'), 1, [$tag, $also]);
$cache->increment(k('increment'), 1, null, [$tag, $also]);
$cache->decrement(k('decrement'), 1, 60_000, [$tag, $also]);
$cache->mSet([k('mset 1') => 1, k('mset 2') => [2]], null, [$tag, $also]);
$cache->mSet(items: [k('mset 3') => 3], tags: [$tag, $also]);
$cache->mSet([k('mset 4') => 4], 60_000, [$tag, $also]);
tagcache_put($cache, k('put'), 1, [$tag, $also]);
tagcache_put($cache, k('put ttl'), 1, [$tag, $also], 60_000);
$cache->set(k('untagged'), 1);
$all = array_map(k(...), ['set', 'add', 'increment', 'decrement', 'mset 1', 'mset 2', 'mset 3', 'mset 4', 'put', 'put ttl']);
foreach ([$tag, $also] as $one) {
    same_set($all, $cache->keysByTag($one), 'keysByTag');
    same_set($all, tagcache_keys_by_tag($cache, $one), 'tagcache_keys_by_tag');
}
same(10, $cache->invalidateTag($tag), 'invalidateTag');
same([], $cache->mGet($all), 'all gone');
same([], $cache->keysByTag($also), 'from the other tag too');
same(1, $cache->get(k('untagged')), 'the untagged stays');
same(0, $cache->invalidateTag($tag), 'invalidateTag again');
same(0, tagcache_invalidate_tag($cache, $tag), 'tagcache_invalidate_tag of nothing');

finish();
--EXPECT--
ok
