--TEST--
What cannot be read back throws and is never garbage
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$class = TagCache\SerializationException::class;
$broken = [
    'no payload' => '__TC_SERIALIZED__',
    'no base64' => '__TC_SERIALIZED__***',
    'base64 cut off' => '__TC_SERIALIZED__' . substr(base64_encode(serialize([1, 2, 3])), 0, -5),
    'a payload cut off' => '__TC_SERIALIZED__' . base64_encode(substr(serialize([1, 2, 3]), 0, -3)),
    'a payload with a tail' => '__TC_SERIALIZED__' . base64_encode(serialize([1, 2, 3]) . 'tail'),
    'a length that lies' => '__TC_SERIALIZED__' . base64_encode('s:1000000000:"a";'),
    'a count that lies' => '__TC_SERIALIZED__' . base64_encode('a:1000000000:{i:0;i:1;}'),
    'nonsense' => '__TC_SERIALIZED__' . base64_encode('nonsense'),
    'an object of no class name' => '__TC_SERIALIZED__' . base64_encode('O:0:"":0:{}'),
    'a handle' => '__TC_SERIALIZED__' . base64_encode('O:8:"TagCache":0:{}'),
    'a closure' => '__TC_SERIALIZED__' . base64_encode('O:7:"Closure":0:{}'),
    'igbinary' => '__TC_IGBINARY__' . base64_encode("\0\0\0\2\x14\5"),
    'igbinary under the common mark' => '__TC_SERIALIZED__' . base64_encode("\0\0\0\2\x14\5"),
    'igbinary of another version' => '__TC_IGBINARY__' . base64_encode("\0\0\0\7\x06\1"),
    'igbinary cut off in its header' => '__TC_IGBINARY__' . base64_encode("\0\0\0\2"),
    'msgpack' => '__TC_MSGPACK__' . base64_encode("\x93\1\2"),
    'msgpack with a tail' => '__TC_SERIALIZED__' . base64_encode("\x93\1\2\3\4"),
    'msgpack of nothing known' => '__TC_MSGPACK__' . base64_encode("\xc1"),
    'json' => '__TC_JSON__{"a":',
    'json of nothing' => '__TC_JSON__',
    'json too deep' => '__TC_JSON__' . str_repeat('[', 600) . str_repeat(']', 600),
    'lz4' => '__TC_LZ4__' . base64_encode("\x10\0\0\0nonsense"),
    'lz4 of nothing' => '__TC_LZ4__',
    'lz4 of a gigabyte' => '__TC_LZ4__' . base64_encode("\xff\xff\xff\x7f" . str_repeat("\xff", 100)),
    'zstd' => '__TC_ZSTD__' . base64_encode('nonsense'),
    'zstd of 16 exabytes' => '__TC_ZSTD__' . base64_encode("\x28\xb5\x2f\xfd\xe0" . str_repeat("\xff", 8) . "\1\0\0"),
];
foreach ($broken as $what => $wire) {
    same(['OK'], raw("PUT\t" . k($what) . "\t-\t-\t$wire"), "raw PUT of $what");
    throws($class, fn () => $cache->get(k($what)), "get of $what");
    throws($class, fn () => $cache->get(k($what), 'default'), "get of $what with a default");
    throws($class, fn () => $cache->mGet([k('nothing'), k($what)]), "mGet of $what");
    same(null, raises(E_WARNING, fn () => tagcache_get($cache, k($what)), "tagcache_get of $what"), "tagcache_get of $what");
    same([], raises(E_WARNING, fn () => tagcache_bulk_get($cache, [k($what)]), "tagcache_bulk_get of $what"),
        "tagcache_bulk_get of $what");
    same(true, $cache->has(k($what)), "has of $what");
}
throws($class, fn () => $cache->get(k('igbinary')), 'the message names the serializer', 'igbinary');
throws($class, fn () => $cache->get(k('msgpack')), 'the message names the serializer', 'msgpack');

// A class that is not loaded comes as PHP gives it.
raw("PUT\t" . k('class') . "\t-\t-\t__TC_SERIALIZED__" . base64_encode('O:7:"Unknown":1:{s:1:"a";i:1;}'));
$got = $cache->get(k('class'));
same('__PHP_Incomplete_Class', get_class($got), 'an unknown class');
same('O:7:"Unknown":1:{s:1:"a";i:1;}', serialize($got), 'and its content');

finish();
--EXPECT--
ok
