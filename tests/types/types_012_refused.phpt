--TEST--
Resources, closures and what PHP cannot serialize are refused before anything is sent
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$file = tmpfile();
$closed = tmpfile();
fclose($closed);
$values = [
    'a resource' => $file,
    'a closed resource' => $closed,
    'a resource in an array' => ['x' => [$file]],
    'a resource in an object' => (object) ['x' => $file],
    'a closure' => fn () => 1,
    'a closure in an array' => [1, [fn () => 1]],
    'an anonymous class' => new class () {
    },
    'a generator' => (function () {
        yield 1;
    })(),
    'a reflection object' => new ReflectionClass('stdClass'),
    'a handle' => $cache,
    'a weak reference' => WeakReference::create($cache),
    'a file object' => new SplFileInfo(__FILE__),
];
$class = TagCache\SerializationException::class;
foreach ($values as $what => $value) {
    throws($class, fn () => $cache->set('a', $value), "set of $what");
    throws($class, fn () => $cache->add('a', $value), "add of $what");
    throws($class, fn () => $cache->mSet(['a' => 1, 'b' => $value, 'c' => 2]), "mSet with $what");
    same(false, raises(E_WARNING, fn () => tagcache_put($cache, 'a', $value), "tagcache_put of $what"), "tagcache_put of $what");
    same(0, raises(E_WARNING, fn () => tagcache_bulk_put($cache, ['a' => 1, 'b' => $value]), "tagcache_bulk_put of $what"),
        "tagcache_bulk_put of $what");
}
same([], $server->commands(), 'nothing reached the server');
$cache->set('a', 'works on');
same('works on', $cache->get('a'), 'it works on');

finish();
--EXPECT--
ok
