--TEST--
A bulk takes the array as it is at the call, whatever __serialize does to it
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Meddler
{
    public static array $items = [];

    public function __serialize(): array
    {
        self::$items['added'] = 'x';
        unset(self::$items[k('c')]);
        foreach (self::$items as $key => $value) {
            self::$items[$key] = 'changed';
        }
        return ['m' => 1];
    }

    public function __unserialize(array $data): void
    {
        self::$items = array_fill(0, 1000, 'y');
    }
}

$cache = cache();
Meddler::$items = [k('a') => 1, k('b') => new Meddler(), k('c') => 'three', k('d') => ['four']];
same(4, $cache->mSet(Meddler::$items), 'mSet');
same([1, 'three', ['four']], array_values($cache->mGet([k('a'), k('c'), k('d')])), 'what was there at the call');
$keys = [k('a'), k('b'), k('c'), k('d')];
$got = $cache->mGet($keys);
same(array_map(k(...), ['a', 'b', 'c', 'd']), array_keys($got), 'mGet');
same(false, $cache->has(k('added')), 'nothing else was written');

// By reference: the hook replaces the very array that is being stored.
class Eraser
{
    public static mixed $target;

    public function __serialize(): array
    {
        self::$target = null;
        return [];
    }
}
$items = [k('e1') => new Eraser(), k('e2') => str_repeat('x', 100)];
Eraser::$target = &$items;
same(2, $cache->mSet($items), 'mSet of an array that is erased meanwhile');
same(null, $items, 'it was erased');
same(str_repeat('x', 100), $cache->get(k('e2')), 'all of it was stored');
$tags = [k('t1'), k('t2')];
$value = [new Eraser(), 'rest'];
Eraser::$target = &$value;
same(true, $cache->set(k('e3'), $value, $tags), 'set of a value that is erased meanwhile');
same('rest', $cache->get(k('e3'))[1], 'all of it was stored');

finish();
--EXPECT--
ok
