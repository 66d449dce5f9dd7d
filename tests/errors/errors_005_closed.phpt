--TEST--
A closed handle refuses everything
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->set(k('a'), 1);
same(null, $cache->close(), 'close');
same(null, $cache->close(), 'close again does nothing');
$calls = [
    'set' => fn () => $cache->set('k', 1), 'add' => fn () => $cache->add('k', 1), 'get' => fn () => $cache->get('k', 'default'),
    'has' => fn () => $cache->has('k'), 'delete' => fn () => $cache->delete('k'), 'increment' => fn () => $cache->increment('k'),
    'decrement' => fn () => $cache->decrement('k'), 'invalidateTag' => fn () => $cache->invalidateTag('t'),
    'invalidateTags' => fn () => $cache->invalidateTags(['t']), 'invalidateTags of none' => fn () => $cache->invalidateTags([]),
    'keysByTag' => fn () => $cache->keysByTag('t'), 'searchAny' => fn () => $cache->searchAny(['t']),
    'searchAll' => fn () => $cache->searchAll(['t', 'u']), 'searchAll of none' => fn () => $cache->searchAll([]),
    'mGet' => fn () => $cache->mGet(['k']), 'mGet of none' => fn () => $cache->mGet([]), 'mSet' => fn () => $cache->mSet(['k' => 1]),
    'mSet of none' => fn () => $cache->mSet([]), 'mDelete' => fn () => $cache->mDelete(['k']), 'mDelete of none' => fn () => $cache->mDelete([]),
    'stats' => fn () => $cache->stats(), 'flush' => fn () => $cache->flush(), 'poolStats' => fn () => $cache->poolStats(),
];
foreach ($calls as $name => $call) {
    throws(TagCache\ClosedException::class, $call, $name, 'closed');
}
check(is_array($cache->__debugInfo()), 'var_dump works on a closed handle');
same(1, cache()->get(k('a')), 'other handles are not affected');
// Functions and methods are the same handle.
$cache = cache();
tagcache_close($cache);
throws(TagCache\ClosedException::class, fn () => $cache->get('k'), 'closed by the function');
// Closed inside the call's own arguments.
$cache = cache();
throws(TagCache\ClosedException::class, fn () => $cache->set(k('b'), (function () use ($cache) {
    $cache->close();
    return 1;
})()), 'closed while the arguments are made');

finish();
--EXPECT--
ok
