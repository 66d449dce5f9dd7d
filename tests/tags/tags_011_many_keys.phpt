--TEST--
searchAny() and searchAll() of long and short lists, in the order in which keys were found
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

foreach (['', 'room:'] as $prefix) {
    $cache = cache($prefix === '' ? [] : ['prefix' => k($prefix)]);
    $tags = ['none' => [], 'one' => [5], 'few' => range(0, 90, 9), 'many' => range(0, 19_999, 3), 'all' => range(0, 19_999)];
    $carries = [];
    foreach ($tags as $tag => $numbers) {
        foreach ($numbers as $n) {
            $carries[$n][] = k($tag);
        }
    }
    foreach ($carries as $n => $list) {
        $items[k("key $n")] = ['value' => 1, 'tags' => $list];
    }
    same(20_000, $cache->mSetItems($items), 'stored');
    $lists = array_map(fn ($tag) => $cache->keysByTag(k($tag)), array_combine(array_keys($tags), array_keys($tags)));
    same(array_map(count(...), $tags), array_map(count(...), $lists), 'keysByTag');
    foreach ([
        ['one'], ['all'], ['none', 'one', 'all'], ['one', 'few', 'many', 'all'], ['all', 'many', 'few', 'one'], ['few', 'many'],
        ['many', 'few'], ['all', 'none'], ['many', 'many', 'all'],
    ] as $some) {
        $name = "\"$prefix\": " . implode(', ', $some);
        $asked = array_map(k(...), $some);
        $found = array_map(fn ($tag) => $lists[$tag], $some);
        // The server gives the keys of a tag in an order of its own, which does not change in between.
        check($cache->searchAny($asked) === array_values(array_unique(array_merge(...$found))), "searchAny of $name");
        check($cache->searchAll($asked) === array_values(array_unique(array_intersect($found[0], ...$found))), "searchAll of $name");
    }
    $cache->invalidateTag(k('all'));
}

finish();
--EXPECT--
ok
