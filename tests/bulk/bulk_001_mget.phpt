--TEST--
mGet(): the found ones, in the order asked, with the caller's keys
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->mSet([k('a') => 'A', k('b') => null, k('c') => [3], k('d') => false]);
same([k('d') => false, k('a') => 'A', k('c') => [3]], $cache->mGet([k('d'), k('none'), k('a'), k('c')]), 'order asked');
same([k('b') => null], $cache->mGet([k('none'), k('b'), k('none 2')]), 'a stored null is found');
same([], $cache->mGet([]), 'no keys');
same([], $cache->mGet([k('none'), k('none 2')]), 'nothing found');
same([k('a') => 'A', k('c') => [3]], $cache->mGet([k('a'), k('c'), k('a'), k('a'), k('c')]), 'duplicates: at the first place');
same([k('none'), k('c')], array_keys($cache->mGet([k('none'), k('c')]) + [k('none') => 0]) === [k('c'), k('none')]
    ? [k('none'), k('c')] : [], 'a duplicate miss is no entry');
same([k('c') => [3], k('a') => 'A'], $cache->mGet([9 => k('c'), 5 => k('a')]), 'the numbers of the elements mean nothing');
$holes = [k('a'), k('b'), k('c')];
unset($holes[1]);
same([k('a') => 'A', k('c') => [3]], $cache->mGet($holes), 'an array with holes');
same([k('a') => 'A'], $cache->mGet(keys: [k('a')]), 'by name');

// Keys that are numbers: the array makes integers of them, as with every array of PHP's.
$n = random_int(1 << 40, 1 << 50);
$cache->mSet([$n => 'int', (string) ($n + 1) => 'digits', "0$n" => 'leading zero', "-$n" => 'negative', "+$n" => 'plus', "$n.5" => 'point']);
same([$n => 'int', $n + 1 => 'digits', "0$n" => 'leading zero', -$n => 'negative', "+$n" => 'plus', "$n.5" => 'point'],
    $cache->mGet([$n, $n + 1, "0$n", -$n, "+$n", "$n.5"]), 'asked by integers');
same([$n => 'int', $n + 1 => 'digits'], $cache->mGet(["$n", (string) ($n + 1)]), 'asked by strings');
same([$n => 'int'], $cache->mGet([$n, "$n"]), 'the two forms are one key');
same(6, $cache->mDelete([$n, (string) ($n + 1), "0$n", -$n, "+$n", "$n.5"]), 'mDelete of all forms');

finish();
--EXPECT--
ok
