--TEST--
Arrays come back with keys, order and types
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$deep = [];
for ($n = 0; $n < 500; $n++) {
    $deep = [$deep, $n];
}
$arrays = [
    [], [null], [[]], [[[]]], [1, 2, 3], [1 => 'a', 0 => 'b'], ['x' => 1, 'y' => 2], ['y' => 2, 'x' => 1], ['' => 'empty key'],
    [-1 => 'negative', -5 => 'more'], [PHP_INT_MAX => 'max', PHP_INT_MIN => 'min'], ['5' => 'int key', '05' => 'string key'],
    ["\0" => 'nul key', "\xff" => 'binary key', "a\nb" => 'line key'], [1.5, -0.0, INF, true, false, null, '1', 1],
    ['__TC_NULL__', '__TC_SERIALIZED__x', '42', '1.0'], range(0, 2000), array_fill_keys(range(0, 500), ['n' => ['v' => "\n"]]),
    $deep, [[1, [2, [3, ['x' => ["\xff"]]]]]],
];
foreach ($arrays as $n => $array) {
    $cache->set(k($n), $array);
    alike($array, $cache->get(k($n)), "array $n");
    $cache->mSet([k("m$n") => $array]);
    alike([k("m$n") => $array], $cache->mGet([k("m$n")]), "array $n by mSet/mGet");
}
$array = ['a' => [1]];
$cache->set(k('copy'), $array);
$array['a'][] = 2;
$got = $cache->get(k('copy'));
same(['a' => [1]], $got, 'what is stored is a copy: a later change does not reach it');
$got['a'][] = 3;
same(['a' => [1]], $cache->get(k('copy')), 'nor does a change of what was read');
same(['a' => [1, 2]], $array, 'the original is untouched');

finish();
--EXPECT--
ok
