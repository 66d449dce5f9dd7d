--TEST--
Objects, dates and enums
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Point
{
    public $x = 1;
    protected $y = [2];
    private $z = "\0bin\xff";
    public readonly int $fixed;

    public function __construct()
    {
        $this->fixed = 7;
    }
}

enum Suit: string
{
    case Hearts = 'H';
    case Spades = 'S';
}

enum Plain
{
    case One;
}

class Sleeper
{
    public $kept = 1;
    public $lost = 2;
    public array $log = [];

    public function __sleep()
    {
        return ['kept'];
    }

    public function __wakeup()
    {
        $this->log[] = 'woken';
    }
}

class Modern
{
    public function __construct(public array $data = [])
    {
    }

    public function __serialize(): array
    {
        return ['d' => $this->data];
    }

    public function __unserialize(array $data): void
    {
        $this->data = [...$data['d'], 'restored'];
    }
}

$cache = cache();
$tree = new stdClass();
$tree->self = $tree;
$tree->list = [new stdClass(), new Point()];
$objects = [
    new stdClass(), (object) ['a' => 1, 'b' => [2], '5' => 'numeric name', '' => 'empty name'], new Point(), $tree,
    new ArrayObject([1, 2]), new ArrayIterator(['x' => 1]), new SplObjectStorage(), new SplStack(), new SplFixedArray(3),
    new DateTime('2026-11-22 12:34:56.789012', new DateTimeZone('Europe/Berlin')), new DateTimeImmutable('@0'),
    new DateTimeZone('+02:30'), new DateInterval('P1Y2M3DT4H5M6S'),
    new DatePeriod(new DateTime('2026-01-01'), new DateInterval('P1D'), 3),
];
foreach ($objects as $n => $object) {
    $cache->set(k($n), $object);
    alike($object, $cache->get(k($n)), 'set/get of ' . get_class($object));
    $items = [k("m$n") => $object, k("a$n") => ['in' => ['side' => $object]]];
    $cache->mSet($items);
    $got = $cache->mGet(array_keys($items));
    foreach ($items as $key => $value) {
        alike($value, $got[$key], 'mSet/mGet of ' . get_class($object));
    }
}
$got = $cache->get(k(3));
same($got, $got->self, 'a cycle is a cycle');

foreach ([Suit::Hearts, Plain::One] as $n => $case) {
    $cache->set(k("enum $n"), $case);
    same($case, $cache->get(k("enum $n")), 'an enum case is itself');
    $cache->set(k("enums $n"), [$case, ['x' => $case]]);
    same([$case, ['x' => $case]], $cache->get(k("enums $n")), 'in an array');
}

$cache->set(k('sleeper'), new Sleeper());
$sleeper = $cache->get(k('sleeper'));
same([1, 2, ['woken']], [$sleeper->kept, $sleeper->lost, $sleeper->log], '__sleep and __wakeup ran');
$cache->set(k('modern'), new Modern([1]));
same([1, 'restored'], $cache->get(k('modern'))->data, '__serialize and __unserialize ran');

$one = new stdClass();
$cache->set(k('twice'), [$one, $one]);
$got = $cache->get(k('twice'));
check($got[0] === $got[1], 'the same object twice stays one');
check($got[0] !== $one, 'and is a copy');

finish();
--EXPECT--
ok
