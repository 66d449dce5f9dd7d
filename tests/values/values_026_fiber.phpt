--TEST--
A Fiber is not left while a value stands apart from PHP's own serializing
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

error_reporting(E_ALL & ~E_DEPRECATED);
eval(<<<'PHP'
    class Outer implements Serializable
    {
        public static ?Closure $in = null;

        public function serialize()
        {
            return 'x';
        }

        public function unserialize($bytes)
        {
            self::$in && (self::$in)();
        }
    }
    PHP);
error_reporting(E_ALL);

class Suspends
{
    public function __wakeup(): void
    {
        Fiber::getCurrent() && Fiber::suspend();
    }
}

$cache = cache();
$cache->set(k('s'), new Suspends());
$bytes = serialize(new Outer());

// Where PHP is doing nothing of the kind, a Fiber may be left in the middle.
$fiber = new Fiber(fn () => $cache->get(k('s')));
$fiber->start();
check($fiber->isSuspended(), 'suspended');
$fiber->resume();
check($fiber->getReturn() instanceof Suspends, 'and resumed');

// Within unserialize() it may not: its notes would be put back when they are no longer true.
Outer::$in = function () use ($cache): void {
    $fiber = new Fiber(fn () => $cache->get(k('s')));
    throws(FiberError::class, fn () => $fiber->start(), 'not left');
};
unserialize($bytes);
Outer::$in = null;
same(serialize([1, [2]]), serialize(unserialize(serialize([1, [2]]))), 'PHP serializes on');
check($cache->get(k('s')) instanceof Suspends, 'and so do we');

// And afterwards it may again.
$fiber = new Fiber(fn () => $cache->get(k('s')));
$fiber->start();
check($fiber->isSuspended(), 'suspended again');
$fiber->resume();

finish();
--EXPECT--
ok
