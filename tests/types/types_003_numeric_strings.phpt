--TEST--
Strings that look like numbers stay strings
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$strings = [
    '0', '1', '-1', '42', '007', '00', '0.0', '1.0', '1.', '.5', '-.5', '+1', '+1.5', '-0', '-0.0', '1e5', '1E5', '1e+5',
    '1.5e-3', ' 1', '1 ', "\t1", "1\n", "\x0b1", "1\x0c", ' 1.5 ', '9223372036854775807', '9223372036854775808',
    '-9223372036854775808', '-9223372036854775809', '18446744073709551616', '99999999999999999999999999', '1e999', '0x1A',
    '0b11', '0o17', '017', '1_000', '1,5', '1e', 'e5', '.', '-', '+', 'INF', '-INF', 'NAN', 'nan', 'inf', 'Infinity',
    'true', 'false', 'null', 'TRUE', 'NULL', 'OK', 'NF', 'VALUE', "VALUE\tx", 'ERR nope', 'b:1;', 'i:5;', 'd:0.5;', 'N;',
    's:1:"a";', 'a:0:{}', 'O:8:"stdClass":0:{}', '[]', '{}', '"x"',
];
$items = [];
foreach ($strings as $n => $string) {
    $cache->set(k($n), $string);
    same($string, $cache->get(k($n)), 'set/get of ' . show($string));
    tagcache_put($cache, k("p$n"), $string);
    same($string, tagcache_get($cache, k("p$n")), 'tagcache_put/get of ' . show($string));
    $items[k("m$n")] = $string;
}
$cache->mSet($items);
same($items, $cache->mGet(array_keys($items)), 'mSet/mGet');

finish();
--EXPECT--
ok
