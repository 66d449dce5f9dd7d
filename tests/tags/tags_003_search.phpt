--TEST--
keysByTag(), searchAny() and searchAll()
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->set(k('1'), 1, [k('a')]);
$cache->set(k('2'), 1, [k('a'), k('b')]);
$cache->set(k('3'), 1, [k('a'), k('b'), k('c')]);
$cache->set(k('4'), 1, [k('c')]);
$keys = fn (string ...$names) => array_map(k(...), $names);
same_set($keys('1', '2', '3'), $cache->keysByTag(k('a')), 'keysByTag');
same_set($keys('1', '2', '3', '4'), $cache->searchAny([k('a'), k('c')]), 'searchAny: each once');
same_set($keys('3'), $cache->searchAll([k('a'), k('c')]), 'searchAll');
same_set($keys('2', '3'), $cache->searchAll([k('b'), k('a')]), 'searchAll in another order');
same_set($keys('1', '2', '3'), $cache->searchAny([k('a')]), 'searchAny of one');
same_set($keys('1', '2', '3'), $cache->searchAll([k('a'), k('a')]), 'searchAll of one twice');
same([], $cache->searchAll([k('a'), k('none')]), 'searchAll with one that nobody has');
same_set($keys('4', '3'), $cache->searchAny([k('none'), k('c')]), 'searchAny with one that nobody has');
same([], $cache->searchAny([]), 'searchAny of none');
same([], $cache->searchAll([]), 'searchAll of none');
same([], $cache->keysByTag(k('none')), 'keysByTag of one that nobody has');
foreach (['keysByTag' => $cache->keysByTag(k('a')), 'searchAny' => $cache->searchAny([k('a'), k('c')]),
    'searchAll' => $cache->searchAll([k('b'), k('a')])] as $name => $list) {
    same(true, array_is_list($list), "$name gives a list");
}
same_set($cache->searchAny([k('a'), k('c')]), tagcache_search_any($cache, [k('a'), k('c')]), 'tagcache_search_any');
same_set($cache->searchAll([k('a'), k('b')]), tagcache_search_all($cache, [k('a'), k('b')]), 'tagcache_search_all');

// A long list: the reply is one line.
$items = [];
for ($n = 0; $n < 5000; $n++) {
    $items[k("many $n " . str_repeat('x', 50))] = $n;
}
$cache->mSet($items, null, [k('many')]);
same_set(array_keys($items), $cache->keysByTag(k('many')), '5000 keys');
same(5000, $cache->invalidateTag(k('many')), 'invalidateTag of 5000');
same([], $cache->mGet(array_keys($items)), 'all gone');

finish();
--EXPECT--
ok
