--TEST--
unserialize_allowed_classes: true, false or a list
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Wanted { public int $a = 1; }
class Unwanted { public static int $woke = 0; public int $a = 1; public function __wakeup(): void { self::$woke++; } }

cache()->set(k('both'), [new Wanted(), new Unwanted(), ['deep' => new ArrayObject([1])]]);
cache()->set(k('plain'), ['a' => [1, 2.5]]);
$classes = fn (mixed $allowed) => array_map(
    get_debug_type(...),
    (function (array $got) { return [$got[0], $got[1], $got[2]['deep']]; })(cache(['unserialize_allowed_classes' => $allowed])->get(k('both')))
);
$none = '__PHP_Incomplete_Class';
same(['Wanted', 'Unwanted', 'ArrayObject'], $classes(true), 'true');
same(1, Unwanted::$woke, 'woken');
same([$none, $none, $none], $classes(false), 'false');
same([$none, $none, $none], $classes([]), 'an empty list');
same(['Wanted', $none, $none], $classes(['Wanted']), 'a list');
same(['Wanted', $none, 'ArrayObject'], $classes(['\\wanted', 'ARRAYOBJECT']), 'case and a leading backslash do not matter');
same(1, Unwanted::$woke, 'and nothing else was woken');
foreach ([true, false, ['Wanted']] as $allowed) {
    same(['a' => [1, 2.5]], cache(['unserialize_allowed_classes' => $allowed])->get(k('plain')), 'arrays are always read');
}
same($none, get_debug_type((new TagCache(sprintf('tagcache://%s:%d?unserialize_allowed_classes=Wanted,ArrayObject', ...array_values(address()))))->get(k('both'))[1]), 'in a DSN');

// A block of LZ4 that holds $bytes (fewer than 270) as they are.
$literals = fn (string $bytes): string => (strlen($bytes) < 15 ? chr(strlen($bytes) << 4) : "\xf0" . chr(strlen($bytes) - 15)) . $bytes;

// igbinary and msgpack know no such filter, wherever their payload comes from.
foreach (['igbinary', 'msgpack'] as $name) {
    cache(['serializer' => $name])->set(k($name), [new Wanted()]);
    $planted = ['igbinary' => igbinary_serialize(new Unwanted()), 'msgpack' => msgpack_pack(new Unwanted())][$name];
    raw("PUT\t" . k("$name planted") . "\t-\t-\t__TC_SERIALIZED__" . base64_encode($planted));
    raw("PUT\t" . k("$name marked") . "\t-\t-\t__TC_" . strtoupper($name) . '__' . base64_encode($planted));
    raw("PUT\t" . k("$name packed") . "\t-\t-\t__TC_LZ4__" . base64_encode(pack('V', strlen($planted)) . $literals($planted)));
    Unwanted::$woke = 0;
    foreach (['php', 'json', 'native'] as $reader) {
        foreach ([false, ['Wanted', 'Unwanted']] as $allowed) {
            $cache = cache(['serializer' => $reader, 'unserialize_allowed_classes' => $allowed]);
            foreach (['', ' planted', ' marked', ' packed'] as $kind) {
                throws(TagCache\SerializationException::class, fn () => $cache->get(k("$name$kind")), "$name$kind", $name);
            }
        }
    }
    same(0, Unwanted::$woke, "$name has woken nothing");
    foreach ([' planted', ' marked', ' packed'] as $kind) {
        same('Unwanted', get_debug_type(cache()->get(k("$name$kind"))), "$name$kind is read when all classes are allowed");
    }
    throws(TagCache\InvalidArgumentException::class, fn () => cache(['serializer' => $name, 'unserialize_allowed_classes' => false]), $name, $name);
}
foreach ([5, null, 'Wanted', [5], ['a b'], ['']] as $wrong) {
    throws(TagCache\InvalidArgumentException::class, fn () => cache(['unserialize_allowed_classes' => $wrong]), show($wrong), 'unserialize_allowed_classes');
}

finish();
--EXPECT--
ok
