--TEST--
A list with string keys is refused, with the call that was meant
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$class = TagCache\InvalidArgumentException::class;
$make = fn () => check(false, 'the callback was called');

// What users of phpredis type.
$options = [['ex' => 60], ['nx', 'ex' => 60], ['px' => 60_000, 'xx'], ['a', 'ttl' => 60], ['nx' => true], [5 => 'a', 'ex' => 1]];
$entries = [
    'set' => fn ($on, $tags) => $on->set('k', 'v', $tags),
    'add' => fn ($on, $tags) => $on->add('k', 'v', $tags),
    'increment' => fn ($on, $tags) => $on->increment('k', 1, null, $tags),
    'decrement' => fn ($on, $tags) => $on->decrement('k', 1, null, $tags),
    'mSet' => fn ($on, $tags) => $on->mSet(['k' => 'v'], null, $tags),
    'mSetItems' => fn ($on, $tags) => $on->mSetItems(['j' => ['value' => 1], 'k' => ['value' => 'v', 'tags' => $tags]]),
    'mAdd' => fn ($on, $tags) => $on->mAdd(['k' => 'v'], null, $tags),
];
$lists = [
    'invalidateTags' => [fn ($on, $list) => $on->invalidateTags($list), '$tags'],
    'searchAny' => [fn ($on, $list) => $on->searchAny($list), '$tags'],
    'searchAll' => [fn ($on, $list) => $on->searchAll($list), '$tags'],
    'mGet' => [fn ($on, $list) => $on->mGet($list), '$keys'],
    'mDelete' => [fn ($on, $list) => $on->mDelete($list), '$keys'],
];
$places = ['handle' => fn () => $cache, 'pipeline' => fn () => $cache->pipeline(), 'batch' => fn () => $cache->batch()];
foreach ($options as $tags) {
    $named = '"' . (is_string(array_key_last($tags)) ? array_key_last($tags) : 'px') . '"';
    foreach ($places as $place => $on) {
        foreach ($entries as $what => $call) {
            throws($class, fn () => $call($on(), $tags), "$what, $place", '$tags', $named, 'ttl_ms: 60_000', 'add()');
        }
    }
    throws($class, fn () => $cache->remember('k', $make, $tags), 'remember', '$tags', $named, 'ttl_ms: 60_000');
    same(false, raises(E_WARNING, fn () => tagcache_put($cache, 'k', 'v', $tags), 'tagcache_put', $named, 'ttl_ms: 60_000'), 'tagcache_put');
}
foreach ([['a' => 1], ['a' => 'x'], ['x', 'y', 'a' => 'z']] as $list) {
    foreach ($places as $place => $on) {
        foreach ($lists as $what => [$call, $argument]) {
            throws($class, fn () => $call($on(), $list), "$what, $place", $argument, '"a"', 'list');
        }
    }
    same([], raises(E_WARNING, fn () => tagcache_bulk_get($cache, $list), 'tagcache_bulk_get', '$keys', '"a"'), 'tagcache_bulk_get');
    same([], raises(E_WARNING, fn () => tagcache_search_any($cache, $list), 'tagcache_search_any', '$tags', '"a"'), 'tagcache_search_any');
    same([], raises(E_WARNING, fn () => tagcache_search_all($cache, $list), 'tagcache_search_all', '$tags', '"a"'), 'tagcache_search_all');
}
throws($class, fn () => $server->cache(['unserialize_allowed_classes' => ['stdClass' => 'stdClass']]), 'allowed classes',
    'unserialize_allowed_classes', '"stdClass"');
same([], $server->commands(), 'nothing of it was sent');

// A great bulk is not sent in part either.
$keys = range(1, 20_000);
$keys['a'] = 'b';
throws($class, fn () => $cache->mGet($keys), 'a great mGet', '"a"');
throws($class, fn () => $cache->mDelete($keys), 'a great mDelete', '"a"');
same([], $server->commands(), 'nothing of it was sent');

// Lists with holes, in any order, or that began as maps are lists.
$tags = array_filter(['a', '', 'b', null, 'c']);
same(true, $cache->set('k', 'v', $tags), 'holes');
same(1, $cache->invalidateTags([7 => 'a', 3 => 'zzz']), 'any order');
$map = ['x' => 1, 5 => 'b'];
unset($map['x']);
same(true, $cache->set('k', 'v', $map), 'a map without its string key');
same(['k'], $cache->searchAll(['5' => 'b']), 'digits are no string key');
same(['k' => 'v'], $cache->mGet([9 => 'k', 2 => 'no']), 'mGet');
same(2, $cache->mSet(['a' => 1, 'k' => 'v']), 'mSet takes a map');
same(2, $cache->mDelete([3 => 'a', 1 => 'k']), 'mDelete');

finish();
--EXPECT--
ok
