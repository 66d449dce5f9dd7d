--TEST--
Behind a prefix no key can be taken for two in a list of keys
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$p = k('p:');
$cache = cache(['prefix' => $p]);
$class = TagCache\InvalidArgumentException::class;
$evil = "x,{$p}victim";
$said = ['comma', 'prefix', 'byte 1'];

$cache->set('victim', 'mine', ['mine']);
$made = false;
$remember = function () use (&$made) {
    $made = true;
    return 1;
};
$ways = [
    'set' => fn ($on) => $on->set($evil, 1, ['t']),
    'set without tags' => fn ($on) => $on->set($evil, 1),
    'add' => fn ($on) => $on->add($evil, 1, ['t']),
    'get' => fn ($on) => $on->get($evil),
    'has' => fn ($on) => $on->has($evil),
    'delete' => fn ($on) => $on->delete($evil),
    'increment' => fn ($on) => $on->increment($evil),
    'decrement' => fn ($on) => $on->decrement($evil, 1, null, ['t']),
    'mGet' => fn ($on) => $on->mGet(['fine', $evil]),
    'mSet' => fn ($on) => $on->mSet(['fine' => 1, $evil => 2], null, ['t']),
    'mSetItems' => fn ($on) => $on->mSetItems([$evil => ['value' => 1, 'tags' => ['t']]]),
    'mAdd' => fn ($on) => $on->mAdd([$evil => 2], null, ['t']),
    'mDelete' => fn ($on) => $on->mDelete([$evil]),
];
foreach ($ways as $what => $way) {
    throws($class, fn () => $way($cache), $what, ...$said);
    throws($class, fn () => $way($cache->pipeline()), "pipeline, $what", ...$said);
    throws($class, fn () => $way($cache->batch()), "batch, $what", ...$said);
}
throws($class, fn () => $cache->remember($evil, $remember, ['t']), 'remember', ...$said);
throws($class, fn () => $cache->remember($evil, $remember, ['t'], 60_000), 'remember, with a time to live', ...$said);
same(false, $made, 'nothing was made for it');
$functions = [
    'tagcache_put' => fn () => tagcache_put($cache, $evil, 1, ['t']),
    'tagcache_get' => fn () => tagcache_get($cache, $evil),
    'tagcache_delete' => fn () => tagcache_delete($cache, $evil),
    'tagcache_bulk_get' => fn () => tagcache_bulk_get($cache, [$evil]),
    'tagcache_bulk_put' => fn () => tagcache_bulk_put($cache, [$evil => 1]),
];
foreach ($functions as $what => $call) {
    raises(E_WARNING, $call, $what, ...$said);
}

// Whatever keys somebody chooses, a loop over the keys of a tag leaves those of others alone.
$chosen = [$evil, ",$p", "x,$p,$p", "x,,{$p}victim", "a,b,{$p}victim,c", 'x,y', 'x,', ',', substr($p, 1), "$p,x", "{$p}victim"];
foreach ($chosen as $key) {
    try {
        $cache->set($key, 1, ['chosen', 'also']);
    } catch (TagCache\InvalidArgumentException) {
    }
}
$stored = ['x,y', 'x,', ',', substr($p, 1), "$p,x", "{$p}victim"];
$lists = [
    'keysByTag' => fn () => $cache->keysByTag('chosen'),
    'searchAny' => fn () => $cache->searchAny(['chosen', 'also']),
    'searchAll' => fn () => $cache->searchAll(['chosen', 'also']),
    'tagcache_keys_by_tag' => fn () => tagcache_keys_by_tag($cache, 'chosen'),
    'tagcache_search_any' => fn () => tagcache_search_any($cache, ['chosen']),
    'tagcache_search_all' => fn () => tagcache_search_all($cache, ['chosen', 'also']),
    'pipeline' => fn () => $cache->pipeline()->keysByTag('chosen')->execute()[0],
    'pipeline, searchAny' => fn () => $cache->pipeline()->searchAny(['chosen'])->execute()[0],
    'batch, searchAll' => fn () => $cache->batch()->searchAll(['chosen'])->value(),
];
foreach ($lists as $what => $list) {
    same_set($stored, $list(), $what);
}
foreach ($lists['keysByTag']() as $key) {
    same(true, $cache->delete($key), 'what is listed is there: ' . show($key));
}
same('mine', $cache->get('victim'), 'and nothing else is gone');
same([], $cache->keysByTag('chosen'), 'all of it');

// Nor from a room within, whose keys the handle around it may list.
$room = $cache->withPrefix('room:');
throws($class, fn () => $room->set($evil, 1, ['t']), 'in a room', ...$said);
same(true, $room->set('x,room:y', 1, ['t']), 'in a room, another comma');
same(['room:x,room:y'], $cache->keysByTag('room:t'), 'listed from around');
same(['x,room:y'], $room->keysByTag('t'), 'listed from within');

// As documented: what another client writes there is not checked, and cut.
same(['OK'], raw("PUT\t{$p}$evil\t-\t{$p}other\tv"), 'by hand');
same_set(['x', 'victim'], $cache->keysByTag('other'), 'another client');
same(1, $cache->invalidateTag('other'), 'its tag removes it');
same('mine', $cache->get('victim'), 'and only that');
// Another prefix, and none, know nothing of this one.
same(true, cache(['prefix' => k('q:')])->set($evil, 1), 'another prefix');
same(true, cache()->set(k($evil), 1), 'no prefix');

finish();
--EXPECT--
ok
