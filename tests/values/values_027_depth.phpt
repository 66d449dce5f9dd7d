--TEST--
What is stored can be read, however deep: json takes 512 levels, msgpack 256, php what PHP reads
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$class = TagCache\SerializationException::class;

function nested(int $levels, mixed $inner): array
{
    $value = [$inner];
    for ($n = 1; $n < $levels; $n++) {
        $value = [$value];
    }
    return $value;
}

foreach (['json' => 512, 'msgpack' => 256] as $name => $most) {
    $cache = $server->cache(['serializer' => $name]);
    foreach ([1, []] as $inner) {
        // An empty array in the middle is a level, too.
        $levels = $most - ($inner === [] ? 1 : 0);
        foreach ([$levels - 1, $levels] as $fits) {
            same(true, $cache->set('deep', nested($fits, $inner)), "$name: $fits levels are stored");
            same(nested($fits, $inner), $cache->get('deep'), "$name: $fits levels are read");
        }
        throws($class, fn () => $cache->set('deep', nested($levels + 1, $inner)), "$name: one more", "deeper than $most");
    }
}

// PHP reads no deeper than its own setting, and the message says so.
$cache = $server->cache();
$cache->set('deep', nested(50, 1));
ini_set('unserialize_max_depth', '49');
throws($class, fn () => @$cache->get('deep'), 'deeper than the setting', 'unserialize_max_depth');
ini_set('unserialize_max_depth', '50');
same(nested(50, 1), $cache->get('deep'), 'as deep as the setting');

// What nothing can serialize is not said to be possible with another serializer.
foreach (['json', 'msgpack', 'php', 'igbinary'] as $name) {
    $cache = $server->cache(['serializer' => $name]);
    $error = throws($class, fn () => $cache->set('k', [fn () => 1]), "$name: a closure", 'Closure');
    check(!str_contains($error?->getMessage() ?? 'serializers', 'serializers'), "$name: no other can");
}

finish();
--EXPECT--
ok
