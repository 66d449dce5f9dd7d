--TEST--
Resources in what PHP's own classes hold are found, however much they hold
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$class = TagCache\SerializationException::class;

/** A storage with $count objects, the first of them $first. */
function storage(int $count, ?object $first = null): SplObjectStorage
{
    $storage = new SplObjectStorage();
    if ($first) {
        $storage[$first] = 'first';
    }
    for ($n = 0; $n < $count; $n++) {
        $storage[(object) ['n' => $n]] = $n;
    }
    return $storage;
}

foreach (['php', 'igbinary'] as $name) {
    $cache = $server->cache(['serializer' => $name]);
    foreach ([1, 3, 50, 5000] as $size) {
        foreach ([1, 3, 50, 5000] as $inner) {
            // What an object tells that it holds lies in a buffer that the next one overwrites.
            $bad = storage($size, (object) ['file' => STDIN]);
            $bad[storage($inner)] = storage($inner);
            throws($class, fn () => $cache->set('a', $bad), "$name: a resource beside storages, $size and $inner", 'resource');
            $good = storage($size, (object) ['text' => 'x']);
            $good[storage($inner)] = storage($inner);
            same(true, $cache->set('a', $good), "$name: storages, $size and $inner");
        }
    }
    alike($good, $cache->get('a'), "$name: and back");
    $stack = new SplStack();
    $stack[] = new ArrayObject([new SplFixedArray(2), [storage(3, new ArrayObject([[STDIN]]))]]);
    throws($class, fn () => $cache->set('a', $stack), "$name: in a stack", 'resource');
}

finish();
--EXPECT--
ok
