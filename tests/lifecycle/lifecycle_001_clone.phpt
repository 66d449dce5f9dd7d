--TEST--
A handle cannot be cloned
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
throws(Error::class, fn () => clone $cache, 'clone', 'clone', 'TagCache');
$mine = new class (address()) extends TagCache {
    public function __clone()
    {
        echo "cloned\n";
    }
};
throws(Error::class, fn () => clone $mine, 'clone of a subclass with __clone');
same(false, (new ReflectionClass('TagCache'))->isCloneable(), 'isCloneable');
$cache->set(k('a'), 1);
same(1, $cache->get(k('a')), 'the original works');

finish();
--EXPECT--
ok
