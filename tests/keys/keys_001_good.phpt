--TEST--
Keys of every allowed kind work in every command
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$names = [
    'a', 'with space', ' outer ', "\u{A0}outer\u{A0}", 'comma,comma', ',', ',,', 'ünïcode', "\u{1F600}", "\u{FEFF}bom", '-', '--',
    '0', '5', '007', '1.5', '__TC_NULL__', 'NF', 'OK', 'GET', '\\', '\\n', '\t', '"', "'", '%00', '{}()/\@:', "\x01", "\x0b",
    "\x0c", "\x1b", "\x7f", "\u{85}", "\u{2028}", "\u{10FFFF}", str_repeat('k', 250), str_repeat('k', 1024), str_repeat('é', 30_000),
];
foreach ($names as $n => $name) {
    $key = $name . k($n) . $name;
    $what = 'key ' . show($name);
    same(true, $cache->set($key, "v$n", [k("t$n")]), "set, $what");
    same("v$n", $cache->get($key), "get, $what");
    same(true, $cache->has($key), "has, $what");
    same(false, $cache->add($key, 'other'), "add, $what");
    same([$key => "v$n"], $cache->mGet([$key]), "mGet, $what");
    if (!str_contains($name, ',')) {
        same([$key], $cache->keysByTag(k("t$n")), "keysByTag, $what");
    }
    same(1, $cache->mSet([$key => "w$n"]), "mSet, $what");
    same("w$n", tagcache_get($cache, $key), "tagcache_get, $what");
    same([$key => "w$n"], tagcache_bulk_get($cache, [$key]), "tagcache_bulk_get, $what");
    same(true, $cache->delete($key), "delete, $what");
    same(3, $cache->increment($key, 3), "increment, $what");
    same(1, $cache->decrement($key, 2), "decrement, $what");
    same(1, $cache->mDelete([$key]), "mDelete, $what");
    same(false, $cache->has($key), "gone, $what");
}
// Keys that differ in white space, case or normal form are different keys.
$variants = array_map(k(...), ['x', 'x ', ' x', 'X', 'x,', "e\u{301}", "\u{e9}"]);
$variants[2] = ' ' . $variants[0];
$cache->mSet(array_combine($variants, array_keys($variants)));
same(array_combine($variants, array_keys($variants)), $cache->mGet($variants), 'none stands for another');
same(1, $cache->mDelete([$variants[1]]), 'mDelete does not trim');
same([true, false, true], array_map($cache->has(...), array_slice($variants, 0, 3)), 'nor does it take the neighbours');

finish();
--EXPECT--
ok
