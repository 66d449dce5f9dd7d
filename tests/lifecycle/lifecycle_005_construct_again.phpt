--TEST--
The constructor called again makes the handle anew
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$one = new Fault();
$two = new Fault();
$cache = $one->cache();
$cache->set('a', 'one');
$cache->__construct($two->options());
same(null, $cache->get('a'), 'the other server');
same(true, $cache->set('a', 'two'), 'set');
same("127.0.0.1:$two->port", $cache->poolStats()['endpoint'], 'endpoint');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->__construct(['port' => 0]), 'a wrong option');
same('two', $cache->get('a'), 'leaves the handle as it was');
$cache->close();
$cache->__construct($one->options());
same('one', $cache->get('a'), 'after close()');

// From inside a call on the handle itself.
class Turncoat
{
    public static TagCache $cache;
    public static array $options;

    public function __serialize(): array
    {
        self::$cache->__construct(self::$options);
        return [];
    }
}
Turncoat::$cache = $cache;
Turncoat::$options = $two->options();
same(true, $cache->set('b', new Turncoat()), 'set during which the constructor runs');
same('two', $cache->get('a'), 'afterwards the handle is the new one');
same(1, (int) $one->cache()->has('b') + (int) $two->cache()->has('b'), 'the value went to one of the two');

finish();
--EXPECT--
ok
