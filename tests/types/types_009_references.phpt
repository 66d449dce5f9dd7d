--TEST--
References inside a value and as arguments
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$x = 1;
$array = ['a' => &$x, 'b' => &$x, 'c' => 1];
$cache->set(k('pair'), $array);
$got = $cache->get(k('pair'));
same(['a' => 1, 'b' => 1, 'c' => 1], $got, 'values');
$got['a'] = 2;
same(['a' => 2, 'b' => 2, 'c' => 1], $got, 'two references to one thing stay one');
same(1, $x, 'and are apart from the original');

$loop = ['n' => 1];
$loop['self'] = &$loop;
$cache->set(k('loop'), $loop);
$got = $cache->get(k('loop'));
same(1, $got['self']['self']['self']['n'] ?? null, 'an array that contains itself');

$key = k('ref');
$value = 'v';
$tag = k('t');
$tags = [&$tag];
$ttl = 60_000;
$call = function (&$key, &$value, &$tags, &$ttl) use ($cache) {
    return $cache->set($key, $value, $tags, $ttl);
};
same(true, $call($key, $value, $tags, $ttl), 'set');
same('v', $cache->get($key), 'get');
$keys = [&$key];
same([$key => 'v'], $cache->mGet($keys), 'mGet of references');
$items = [k('i') => &$value];
same(1, $cache->mSet($items, null, $tags), 'mSet of references');
$value = 'changed';
same('v', $cache->get(k('i')), 'stored as it was');
same_set([$key, k('i')], $cache->searchAny($tags), 'tags that are references');
same(2, $cache->invalidateTags($tags), 'invalidateTags');
same([[k('t')], [k('ref')], ['changed']], [$tags, $keys, array_values($items)], 'the arguments are unchanged');

finish();
--EXPECT--
ok
