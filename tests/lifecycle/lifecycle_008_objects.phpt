--TEST--
Handles as ordinary objects: comparison, garbage, many of them, memory
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$a = cache();
$b = cache();
check($a !== $b, 'two handles are two objects');
$c = $a;
check($a === $c, 'an assignment is the same');
same(false, $a->close() === false, 'close returns nothing');
same(true, $b->set(k('b'), 1), 'the other one is open');
throws(TagCache\ClosedException::class, fn () => $c->get(k('b')), 'the same one is closed');

// A handle within a cycle.
class Node
{
    public $self;
    public $cache;
}
for ($n = 0; $n < 100; $n++) {
    $node = new Node();
    $node->self = $node;
    $node->cache = cache();
    $node->cache->get(k('b'));
}
unset($node);
check(gc_collect_cycles() >= 99, 'garbage is collected');
$storage = new SplObjectStorage();
$weak = WeakReference::create($b);
$storage[$b] = 'data';
same('data', $storage[$b], 'a key of SplObjectStorage');
same($b, $weak->get(), 'WeakReference');
$storage->detach($b);
unset($b);
same(null, $weak->get(), 'freed at once');

// No growth over many handles and calls.
$work = function (int $times): void {
    for ($n = 0; $n < $times; $n++) {
        $cache = cache();
        $cache->set(k('m'), ['x' => $n, 'text' => str_repeat("y\n", 100)], [k('t')]);
        $cache->get(k('m'));
        $cache->mGet([k('m'), k('none')]);
        $cache->keysByTag(k('t'));
        try {
            $cache->get('');
        } catch (TagCache\InvalidArgumentException) {
        }
        $cache->poolStats();
        $cache->__debugInfo();
    }
};
$work(200);
$fds = descriptors();
$before = memory_get_usage();
$work(2000);
same($before, memory_get_usage(), "PHP's memory does not grow");
same($fds, descriptors(), 'nor do the descriptors');

finish();
--EXPECT--
ok
