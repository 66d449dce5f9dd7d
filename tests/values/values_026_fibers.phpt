--TEST--
While a Fiber is suspended in a call, nobody else sees what the call has put aside in PHP
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

error_reporting(E_ALL & ~E_DEPRECATED);
eval(<<<'PHP'
    class Outer implements Serializable
    {
        public static ?Closure $in = null;

        public function __construct(public mixed $data = 's')
        {
        }

        public function serialize()
        {
            Fiber::getCurrent() && Fiber::suspend();
            return serialize($this->data);
        }

        public function unserialize($bytes)
        {
            $this->data = unserialize($bytes);
            self::$in && (self::$in)();
        }
    }
    PHP);
error_reporting(E_ALL);

final class Suspends
{
    public function __serialize(): array
    {
        Fiber::getCurrent() && Fiber::suspend();
        return [1];
    }

    public function __unserialize(array $data): void
    {
    }
}

final class Wakes
{
    public static ?Closure $up = null;

    public function __wakeup(): void
    {
        self::$up ? (self::$up)() : Fiber::getCurrent() && Fiber::suspend();
    }
}

/** Sets serialize_precision while it is serialized. */
final class Sets
{
    public float $number = 0.123456789;

    public function __construct(private string $to)
    {
    }

    public function __serialize(): array
    {
        ini_set('serialize_precision', $this->to);
        return ['number' => $this->number];
    }

    public function __unserialize(array $data): void
    {
        ini_set('serialize_precision', '4');
        $this->number = $data['number'];
    }
}

final class Gives
{
    public function __construct(private array $what)
    {
    }

    public function __serialize(): array
    {
        return $this->what;
    }
}

/** @return Fiber one that is suspended in $call */
function fiber(Closure $call, string $what): Fiber
{
    $fiber = new Fiber($call);
    $fiber->start();
    check($fiber->isSuspended(), "$what: suspended");
    return $fiber;
}

$raised = [];
set_error_handler(function (int $level, string $message) use (&$raised): bool {
    $raised[] = $message;
    return true;
});
/** How often a call of the script's own has PHP complain. */
$complaints = function () use (&$raised): int {
    $raised = [];
    igbinary_unserialize("\0\0\0\x02\x14\x05\x06");
    return count($raised);
};
$cache = cache();
$igbinary = cache(['serializer' => 'igbinary']);
same(1, $complaints(), 'the complaint that there is');

// A call whose complaints are caught: those of the script to the same function are not.
$igbinary->set(k('w'), [new Wakes()]);
$fiber = fiber(fn () => $igbinary->get(k('w')), 'in a call that is watched');
same(1, $complaints(), 'the complaint of the main program');
same(E_ALL, error_reporting(), 'error_reporting');
$fiber->resume();
check($fiber->getReturn()[0] instanceof Wakes, 'it is read');

// A complaint that is caught, and then a hook: the script's own complaints and settings are its own.
$fiber = fiber(fn () => $igbinary->set(k('a'), new Gives([STDIN, new Suspends()])), 'behind a complaint');
same(E_ALL, error_reporting(), 'error_reporting');
same(1, $complaints(), 'the complaint of the main program behind it');
error_reporting(E_ALL & ~E_NOTICE);
error_clear_last();
$raised = [];
throws(TagCache\SerializationException::class, fn () => $fiber->resume(), 'the end of the call', 'resource');
same([], $raised, 'whose complaint is not shown');
same(null, error_get_last(), 'nor kept');
same(E_ALL & ~E_NOTICE, error_reporting(), 'what was set meanwhile stays');
error_reporting(E_ALL);

// In the same Fiber: what a hook complains of goes its usual way.
$seen = null;
Wakes::$up = function () use (&$seen, $complaints): void {
    $seen = $complaints();
};
check($igbinary->get(k('w'))[0] instanceof Wakes, 'it is read');
same(1, $seen, 'the complaint of a hook');
Wakes::$up = null;

// Floats.
ini_set('serialize_precision', '5');
$fiber = fiber(fn () => $cache->set(k('f'), [new Outer(0.123456789), 0.123456789]), 'in the middle of floats');
same('0.12346', json_encode(0.123456789), 'serialize_precision');
ini_set('serialize_precision', '3');
same('0.123', json_encode(0.123456789), 'set meanwhile');
$fiber->resume();
same(true, $fiber->getReturn(), 'it is stored');
same('0.123', json_encode(0.123456789), 'and stays');
ini_set('serialize_precision', '-1');
same(0.123456789, $cache->get(k('f'))[1], 'exactly');

ini_set('serialize_precision', '5');
$cache->set(k('f'), [new Wakes(), new Sets('6')]);
same('0.123457', json_encode(0.123456789), 'what a hook has set stays, too');
same(0.123456789, $cache->get(k('f'))[1]->number, 'exactly');
same('0.1235', json_encode(0.123456789), 'and what one sets that is read');
ini_set('serialize_precision', '-1');

// Any number of them, in any order.
$cache->set(k('s'), [new Wakes(), new Wakes()]);
$fibers = [];
for ($n = 0; $n < 5; $n++) {
    $fibers[] = fiber(fn () => $cache->get(k('s')), "Fiber $n");
}
check(unserialize(serialize([new Outer()]))[0] instanceof Outer, 'PHP serializes meanwhile');
foreach ([3, 0, 4, 2, 1] as $n) {
    $fibers[$n]->resume();
    $fibers[$n]->resume();
    check($fibers[$n]->getReturn()[1] instanceof Wakes, "Fiber $n ends");
}

// Where PHP is in the middle of unserialize().
$bytes = serialize([$one = new stdClass(), new Outer(), $one]);
$within = null;
Outer::$in = function () use ($cache, &$within): void {
    $within = fiber(fn () => $cache->get(k('s')), 'within unserialize()');
    $cache->get(k('s'));
};
$got = unserialize($bytes);
Outer::$in = null;
same($got[0], $got[2], 'PHP has gone on as if nothing was');
same(serialize([1, [2]]), serialize(unserialize(serialize([1, [2]]))), 'and goes on');
$within->resume();
$within->resume();
check($within->getReturn()[1] instanceof Wakes, 'the Fiber, too');

// And the other way round: what is suspended is not in the way of PHP.
$cache->set(k('o'), [$one, new Outer(), $one]);
Outer::$in = fn () => Fiber::getCurrent() && Fiber::suspend();
$fiber = fiber(fn () => $cache->get(k('o')), 'in a hook that shares references');
$got = unserialize($bytes);
same($got[0], $got[2], 'references of the main program');
$fiber->resume();
same($fiber->getReturn()[0], $fiber->getReturn()[2], 'and of the Fiber');
Outer::$in = null;

// One that is dropped where it is.
$fiber = fiber(fn () => $cache->get(k('s')), 'dropped');
unset($fiber);
gc_collect_cycles();
$got = unserialize($bytes);
same($got[0], $got[2], 'nothing is left of it');

finish();
--EXPECT--
ok
