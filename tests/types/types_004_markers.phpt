--TEST--
Strings that look like the encoding's own markers stay strings
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$strings = ['_', '__', '__TC', '__TC_', '__TC__', '__tc_null__', ' __TC_NULL__', "\0__TC_NULL__", 'x__TC_NULL__', '-', ''];
foreach (['NULL', 'TRUE', 'FALSE', 'SERIALIZED', 'IGBINARY', 'MSGPACK', 'JSON', 'LZ4', 'ZSTD', 'X'] as $name) {
    $mark = "__TC_{$name}__";
    array_push($strings, $mark, "$mark ", "{$mark}x", "$mark\n", "__TC_$name", "$mark$mark");
}
foreach (['i:1;', serialize([1]), serialize('x'), serialize(new ArrayObject()), '', 'nonsense'] as $payload) {
    array_push(
        $strings,
        '__TC_SERIALIZED__' . base64_encode($payload),
        '__TC_SERIALIZED__' . $payload,
        '__TC_IGBINARY__' . base64_encode("\0\0\0\2$payload"),
        base64_encode($payload)
    );
}
foreach ($strings as $n => $string) {
    $cache->set(k($n), $string);
    same($string, $cache->get(k($n)), 'set/get of ' . show($string));
    $cache->set(k("array $n"), [$string, ["k$string" => $string]]);
    same([$string, ["k$string" => $string]], $cache->get(k("array $n")), 'in an array: ' . show($string));
}

finish();
--EXPECT--
ok
