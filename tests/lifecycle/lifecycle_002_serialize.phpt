--TEST--
A handle cannot be serialized, nor made by unserialize()
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$class = Exception::class;
throws($class, fn () => serialize($cache), 'serialize', 'TagCache');
throws($class, fn () => serialize(['deep' => [$cache]]), 'serialize in an array', 'TagCache');
$mine = new class (address()) extends TagCache {
};
throws($class, fn () => serialize($mine), 'serialize of a subclass');

class Mine extends TagCache
{
    public function __serialize(): array
    {
        return [];
    }

    public function __unserialize(array $data): void
    {
    }
}
foreach (['O:8:"TagCache":0:{}', 'C:8:"TagCache":0:{}', 'a:1:{i:0;O:8:"TagCache":0:{}}'] as $text) {
    [$outcome] = timed(fn () => @unserialize($text));
    check($outcome === false || $outcome instanceof Exception, "unserialize of $text: " . show($outcome));
}
// A subclass that brings its own hooks gets at most a handle that was never made.
[$outcome] = timed(fn () => @unserialize('O:4:"Mine":0:{}'));
if ($outcome instanceof Mine) {
    throws(TagCache\ClosedException::class, fn () => $outcome->get('a'), 'a handle that was never made');
} else {
    check($outcome === false || $outcome instanceof Exception, 'unserialize of the subclass: ' . show($outcome));
}
same('{}', json_encode($cache), 'json_encode shows nothing');
same([], (array) $cache, 'nor does a cast');
same([], get_object_vars($cache), 'nor does get_object_vars');

finish();
--EXPECT--
ok
