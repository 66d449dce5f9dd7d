--TEST--
A prefix goes before keys and tags, comes off again, and bounds flush()
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

[$p, $q] = [k('one:'), k('two:')];
[$one, $two, $bare] = [cache(['prefix' => $p]), cache(['prefix' => $q]), cache()];

// The same names in two namespaces, by every way of writing.
foreach ([[$one, 1], [$two, 2]] as [$cache, $n]) {
    $cache->set('set', $n, ['tag', '-']);
    same(true, $cache->add('add', $n, ['tag']), 'add');
    $cache->mSet(['mset' => $n, 5 => $n, 'with,comma' => $n], null, ['tag']);
    same($n, $cache->increment('count', $n, null, ['tag']), 'increment');
    same($n, $cache->increment('bare count', $n), 'increment without tags');
    same(-$n, $cache->decrement('down', $n), 'decrement without tags');
    tagcache_put($cache, 'function', $n, ['tag']);
    tagcache_bulk_put($cache, ['bulk' => $n]);
    same([true, $n], $cache->pipeline(fn ($to) => $to->set('pipe', $n, ['tag'])->increment('pipe count', $n)), 'pipeline');
    $batch = $cache->batch();
    $futures = [$batch->set('batch', $n, ['tag']), $batch->increment('batch count', $n), $batch->get('set')];
    $batch->wait();
    same([true, $n, $n], array_map(fn ($future) => $future->value(), $futures), 'batch');
}
$names = ['set', 'add', 'mset', 5, 'with,comma', 'count', 'bare count', 'function', 'bulk', 'pipe', 'pipe count', 'batch', 'batch count'];
foreach ([[$one, 1, $p], [$two, 2, $q]] as [$cache, $n, $prefix]) {
    same(array_fill_keys($names, $n), $cache->mGet($names), 'mGet gives the names as they were asked');
    same(array_fill_keys($names, $n), tagcache_bulk_get($cache, $names), 'bulk_get');
    same($n, $bare->get("{$prefix}set"), 'the server has the prefix');
    $tagged = ['set', 'add', 'mset', '5', 'with,comma', 'count', 'function', 'pipe', 'batch'];
    same_set($tagged, $cache->keysByTag('tag'), 'keysByTag');
    same_set($tagged, $cache->searchAny(['tag', 'nothing']), 'searchAny');
    same_set(['set'], $cache->searchAll(['tag', '-']), 'searchAll');
    same_set($tagged, tagcache_keys_by_tag($cache, 'tag'), 'tagcache_keys_by_tag');
}

// A count without tags keeps those of the entry.
$one->set('tagged count', 5, ['kept']);
same(6, $one->increment('tagged count'), 'increment');
same(['tagged count'], $one->keysByTag('kept'), 'the tag is kept');
same(50, $one->increment('fresh', 50, 60_000), 'a new one with a time to live');

// What is invalidated here stays there.
same(1, $one->invalidateTag('kept'), 'invalidateTag');
same(1, $one->invalidateTags(['tag', '-'], 'all'), 'invalidateTags, all');
same(2, $two->get('set'), 'the other has its own');
same(true, $one->delete('add'), 'delete');
same(2, $two->get('add'), 'the other has its own');

// flush() takes the namespace, whatever wrote it, and nothing else.
$bare->set(k('outside'), 1);
check($one->flush() >= 11, 'flush');
same([], $one->mGet([...$names, 'down', 'fresh']), 'all of it is gone');
same(array_fill_keys($names, 2), $two->mGet($names), 'the other is there');
same(1, $bare->get(k('outside')), 'and what has no prefix');
same(0, $one->flush(), 'an empty one');
same([[]], [$one->keysByTag('tag')], 'no keys');
check(tagcache_flush($two) >= 13, 'tagcache_flush');
same([], $two->mGet($names), 'gone too');

// One tenant can't name another's hidden tag.
$class = TagCache\InvalidArgumentException::class;
foreach (['_', '__TC_', '__TC_NS__', '__TC_NS__x', "a\n", 'a,b', ' a', "\xff", "a\0"] as $prefix) {
    throws($class, fn () => cache(['prefix' => $prefix]), 'prefix ' . show($prefix), 'prefix');
}
foreach (['tenant ', 'é:', '-', '_x:'] as $prefix) {
    $cache = cache(['prefix' => $prefix . k('')]);
    $cache->set('-', 1, ['-']);
    same([1, ['-'], 1, null], [$cache->get('-'), $cache->keysByTag('-'), $cache->flush(), $cache->get('-')], 'prefix ' . show($prefix));
}

// Offsets are those of the caller's name.
throws($class, fn () => $one->get("ab\n"), 'a bad key', 'byte 2');
throws($class, fn () => $one->set('k', 1, ["a,b"]), 'a bad tag', 'byte 1');

finish();
--EXPECT--
ok
