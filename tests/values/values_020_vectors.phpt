--TEST--
The test vectors of docs/values.md
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$vectors = json_decode(file_get_contents(__DIR__ . '/../data/value-vectors.json'), true, 512, JSON_THROW_ON_ERROR);
$cache = cache();
foreach ($vectors['write'] as ['name' => $name, 'php' => $php, 'wire' => $wire]) {
    $value = unserialize(base64_decode($php));
    foreach (is_array($value) || is_object($value) ? ['php'] : ['php', 'igbinary', 'msgpack', 'json', 'native'] as $serializer) {
        cache(['serializer' => $serializer])->set(k('v'), $value);
        same(["VALUE\t$wire"], raw("GET\t" . k('v')), "$name, written by $serializer");
        alike($value, $cache->get(k('v')), "$name, read");
    }
}
foreach ($vectors['read'] as ['name' => $name, 'php' => $php, 'wire' => $wire]) {
    same(['OK'], raw("PUT\t" . k('v') . "\t-\t-\t$wire"), "$name, put");
    alike(unserialize(base64_decode($php)), $cache->get(k('v')), $name);
}
foreach ($vectors['error'] as $wire) {
    raw("PUT\t" . k('v') . "\t-\t-\t$wire");
    throws(TagCache\SerializationException::class, fn () => $cache->get(k('v')), "an error: $wire");
}
check(count($vectors['write']) > 50 && count($vectors['read']) > 20, 'there are vectors');

finish();
--EXPECT--
ok
