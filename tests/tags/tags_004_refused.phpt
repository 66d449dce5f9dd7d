--TEST--
Tags that the protocol cannot carry are refused everywhere, with byte and offset, before anything is sent
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->set('a', 'kept', ['t']);
$server->commands();
$bad = [
    ['', 'empty', null],
    ["a\tb", 'TAB', 1], ["\nx", 'line feed', 0], ["abc\n", 'line feed', 3], ["ab\rc", 'carriage return', 2], ["abc\0", 'NUL', 3],
    ["ab\xffc", 'UTF-8', 2], ["é\xc3", 'UTF-8', 2],
    ['a,b', 'comma', 1], [',', 'comma', 0], ['abc,', 'comma', 3],
    [' a', 'space', 0], ['a ', 'space', 1], ["\u{A0}a", 'space', 0], ["ab\u{A0}", 'space', 2], ["a\u{2003}", 'space', 1],
    ["a\u{3000}", 'space', 1], ["\u{85}a", 'space', 0], ["\x0ba", 'space', 0], ["a\x0c", 'space', 1], ["a\u{2028}", 'space', 1], [' ', 'space', 0],
];
$class = TagCache\InvalidArgumentException::class;
foreach ($bad as [$tag, $reason, $offset]) {
    $calls = [
        'set' => fn () => $cache->set('a', 1, ['fine', $tag]),
        'add' => fn () => $cache->add('b', 1, [$tag, 'fine']),
        'increment' => fn () => $cache->increment('n', 1, null, [$tag]),
        'decrement' => fn () => $cache->decrement('n', 1, null, ['x', 'y', $tag]),
        'mSet' => fn () => $cache->mSet(['a' => 1, 'b' => 2], null, ['fine', $tag]),
        'invalidateTag' => fn () => $cache->invalidateTag($tag),
        'invalidateTags any' => fn () => $cache->invalidateTags(['t', $tag]),
        'invalidateTags all' => fn () => $cache->invalidateTags([$tag, 't'], 'all'),
        'keysByTag' => fn () => $cache->keysByTag($tag),
        'searchAny' => fn () => $cache->searchAny(['t', $tag]),
        'searchAll' => fn () => $cache->searchAll(['t', $tag]),
        'mAdd' => fn () => $cache->mAdd(['a' => 1], null, [$tag]),
        'mSetItems' => fn () => $cache->mSetItems(['a' => ['value' => 1, 'tags' => ['fine', $tag]]]),
        'remember' => fn () => $cache->remember('never there', fn () => check(false, 'nothing is made for a bad tag'), [$tag]),
    ];
    foreach (['pipeline' => $cache->pipeline(), 'batch' => $cache->batch()] as $kind => $to) {
        $calls += [
            "$kind set" => fn () => $to->set('a', 1, [$tag]), "$kind add" => fn () => $to->add('a', 1, [$tag]),
            "$kind increment" => fn () => $to->increment('n', 1, null, [$tag]), "$kind decrement" => fn () => $to->decrement('n', 1, null, [$tag]),
            "$kind mSet" => fn () => $to->mSet(['a' => 1], null, [$tag]), "$kind mAdd" => fn () => $to->mAdd(['a' => 1], null, [$tag]),
            "$kind mSetItems" => fn () => $to->mSetItems(['a' => ['value' => 1, 'tags' => [$tag]]]),
            "$kind invalidateTag" => fn () => $to->invalidateTag($tag), "$kind invalidateTags" => fn () => $to->invalidateTags([$tag, 't'], 'all'),
            "$kind keysByTag" => fn () => $to->keysByTag($tag), "$kind searchAny" => fn () => $to->searchAny([$tag]),
            "$kind searchAll" => fn () => $to->searchAll(['t', $tag]),
        ];
    }
    foreach ($calls as $name => $call) {
        $what = "$name of " . show($tag);
        $thrown = throws($class, $call, $what, 'tag', $reason);
        if ($offset !== null && $thrown !== null) {
            check(preg_match("/\\b$offset\\b/", $thrown->getMessage()) === 1, "$what: offset $offset in " . $thrown->getMessage());
        }
    }
    $functions = [
        'tagcache_put' => [false, fn () => tagcache_put($cache, 'a', 1, [$tag])],
        'tagcache_invalidate_tag' => [0, fn () => tagcache_invalidate_tag($cache, $tag)],
        'tagcache_keys_by_tag' => [[], fn () => tagcache_keys_by_tag($cache, $tag)],
        'tagcache_search_any' => [[], fn () => tagcache_search_any($cache, ['t', $tag])],
        'tagcache_search_all' => [[], fn () => tagcache_search_all($cache, [$tag])],
    ];
    foreach ($functions as $name => [$failure, $call]) {
        same($failure, raises(E_WARNING, $call, "$name of " . show($tag), $reason), "$name of " . show($tag));
    }
}
same([], $server->log(), 'nothing reached the server');
same('kept', $cache->get('a'), 'what was stored is unchanged');
same(['a'], $cache->keysByTag('t'), 'with its tag');

finish();
--EXPECT--
ok
