--TEST--
What PHP throws because of a value is a SerializationException, what code of the user throws is the user's
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Typed
{
    public int $n = 1;
}

final class Fixed
{
    public function __construct(public readonly int $n = 1)
    {
    }
}

abstract class Unmade
{
}

enum Suit: string
{
    case Hearts = 'h';
}

class Missing
{
    public array $broken = [NO_SUCH_CONSTANT];
}

class UserError extends Exception
{
}

/** Throws in the hooks that PHP calls, by itself or by what it asks of PHP. */
class Hooked
{
    public static ?Closure $hook = null;
    public mixed $data = null;

    public function __serialize(): array
    {
        return ['data' => $this->data];
    }

    public function __unserialize(array $data): void
    {
        (self::$hook)($data);
    }
}

class Woken
{
    public function __wakeup(): void
    {
        throw new UserError('woken');
    }
}

class Collection extends ArrayObject
{
    public function __unserialize(array $data): void
    {
        parent::__unserialize($data);
    }
}

#[AllowDynamicProperties]
class Destroyed
{
    public function __destruct()
    {
        try {
            throw new UserError('in a destructor');
        } catch (UserError) {
        }
    }
}

/** Puts what PHP has serialized, or would not. */
function put(string $key, string $serialized): void
{
    same(['OK'], raw("PUT\t" . k($key) . "\t-\t-\t__TC_SERIALIZED__" . base64_encode($serialized)), "put $key");
}

/** What the ways to read a value do with the one under $key. */
function every_way(TagCache $cache, string $key): array
{
    $key = k($key);
    return [
        'get' => fn () => $cache->get($key),
        'get with a default' => fn () => $cache->get($key, 'default'),
        'mGet' => fn () => $cache->mGet([k('fine'), $key]),
        'pipeline' => fn () => is_object($result = $cache->pipeline()->get(k('fine'))->get($key)->execute()[1])
            && $result instanceof Throwable ? throw $result : $result,
        'batch' => fn () => $cache->batch()->get($key)->value(),
        'batch, mGet' => fn () => $cache->batch()->mGet([$key])->value(),
        'remember' => fn () => $cache->remember($key, fn () => 'made anew'),
    ];
}

$cache = cache();
$class = TagCache\SerializationException::class;
$cache->set(k('fine'), 'fine');

// What PHP says, and by what.
$bad = [
    'not allowed' => ['O:11:"DOMDocument":0:{}', Exception::class, 'DOMDocument'],
    'a closure' => ['O:7:"Closure":0:{}', Exception::class, 'Closure'],
    'a generator' => ['O:9:"Generator":0:{}', Exception::class, 'Generator'],
    'XML' => ['O:16:"SimpleXMLElement":0:{}', Exception::class, 'SimpleXMLElement'],
    'in an array' => ['a:2:{i:0;i:1;i:1;a:1:{i:0;O:7:"Closure":0:{}}}', Exception::class, 'Closure'],
    'ArrayObject' => ['O:11:"ArrayObject":1:{i:0;i:1;}', UnexpectedValueException::class, ''],
    'ArrayObject, the old form' => ['C:11:"ArrayObject":3:{x:i}', UnexpectedValueException::class, 'offset'],
    'SplObjectStorage' => ['O:16:"SplObjectStorage":1:{i:0;i:1;}', UnexpectedValueException::class, ''],
    'SplDoublyLinkedList' => ['O:19:"SplDoublyLinkedList":0:{}', UnexpectedValueException::class, ''],
    'DateTime' => ['O:8:"DateTime":0:{}', Error::class, 'DateTime'],
    'DateTimeZone' => ['O:12:"DateTimeZone":1:{s:8:"timezone";i:3;}', Error::class, 'DateTimeZone'],
    'DatePeriod' => ['O:10:"DatePeriod":0:{}', Error::class, 'DatePeriod'],
    'a type' => ['O:5:"Typed":1:{s:1:"n";s:1:"x";}', TypeError::class, 'Typed::$n'],
    'a type of a readonly one' => ['O:5:"Fixed":1:{s:1:"n";a:0:{}}', TypeError::class, 'Fixed::$n'],
    'a reference to a type' => ['a:2:{i:0;O:5:"Typed":1:{s:1:"n";i:1;}i:1;O:5:"Typed":1:{s:1:"n";d:1.5;}}', TypeError::class, 'Typed::$n'],
    'an abstract class' => ['O:6:"Unmade":0:{}', Error::class, 'Unmade'],
    'a default that is not there' => ['O:7:"Missing":0:{}', Error::class, 'NO_SUCH_CONSTANT'],
    'a subclass of an internal one' => ['O:9:"Destroyed":1:{s:1:"a";O:7:"Closure":0:{}}', Exception::class, 'Closure'],
];
$optional = ['DOMDocument', 'SimpleXMLElement'];
foreach ($bad as $what => [$serialized, $by, $part]) {
    if (in_array($part, $optional, true) && !class_exists($part)) {
        continue;
    }
    put($what, $serialized);
    foreach (every_way($cache, $what) as $way => $read) {
        $thrown = throws($class, $read, "$what, $way", $part, k($what));
        $previous = $thrown?->getPrevious();
        check($previous && get_class($previous) === $by, "$what, $way: the previous one is " . show($previous));
        same(null, $previous?->getPrevious(), "$what, $way: the only one");
    }
    same(null, raises(E_WARNING, fn () => tagcache_get($cache, k($what)), "$what, tagcache_get", $part), "$what, tagcache_get");
    same([], raises(E_WARNING, fn () => tagcache_bulk_get($cache, [k($what)]), "$what, bulk_get", $part), "$what, bulk_get");
}
// No handler of the user hears of a value: with one that throws it is the same.
set_error_handler(fn ($level, $message) => throw new ErrorException($message));
foreach (['E:11:"Suit:Spades";', 'E:9:"No:Spades";', 'E:10:"Typed:Case";', 'C:5:"Typed":1:{x}', 'O:5:"Typed":1:{s:1:"n"', 'i:1;i:2;'] as $n => $serialized) {
    put("enum $n", $serialized);
    foreach (every_way($cache, "enum $n") as $way => $read) {
        throws($class, $read, "$serialized, $way", k("enum $n"));
    }
}
restore_error_handler();
same('h', unserialize(serialize(Suit::Hearts))->value, 'an enum that is there');

// The other serializers, for classes that were something else when they were stored.
class TypeX
{
    public $n = 'x';
}

class GeneratoX
{
}

// (The extension msgpack asks PHP neither for types nor for what may be made.)
foreach ([[new TypeX(), 'TypeX', 'Typed', TypeError::class], [[new GeneratoX()], 'GeneratoX', 'Generator', Exception::class]] as [$value, $was, $is, $by]) {
    put("igbinary $is", str_replace($was, $is, igbinary_serialize($value)));
    foreach (every_way($cache, "igbinary $is") as $way => $read) {
        $thrown = throws($class, $read, "igbinary: $is, $way", $is);
        check($thrown?->getPrevious() instanceof $by, "igbinary: $is, $way: the previous one is " . show($thrown?->getPrevious()));
    }
    raises(E_WARNING, fn () => tagcache_get($cache, k("igbinary $is")), "igbinary: $is, tagcache_get", $is);
}
foreach (['igbinary' => 'igbinary_serialize', 'msgpack' => 'msgpack_pack'] as $name => $write) {
    put("$name hooked", $write(new Hooked()));
    Hooked::$hook = fn () => throw new UserError('mine');
    throws(UserError::class, fn () => $cache->get(k("$name hooked")), "$name: of the user", 'mine');
    throws($class, fn () => cache(['serializer' => $name])->set(k('w'), [fn () => 1]), "$name: a closure");
}

// Every class of PHP's own, with nothing in it and with what is not its own.
$tried = 0;
foreach (get_declared_classes() as $name) {
    if (!(new ReflectionClass($name))->isInternal()) {
        continue;
    }
    $head = strlen($name) . ':"' . $name . '":';
    foreach (["O:{$head}0:{}", "O:{$head}1:{i:0;i:1;}", "O:{$head}2:{i:0;s:1:\"x\";i:1;a:0:{}}", "C:{$head}2:{x:}",
        "O:{$head}1:{s:1:\"a\";N;}"] as $n => $serialized) {
        if (str_starts_with($serialized, 'C:') && !method_exists($name, 'unserialize')) {
            continue;
        }
        put('class', $serialized);
        try {
            $tried++;
            @$cache->get(k('class'));
        } catch (Throwable $thrown) {
            same($class, get_class($thrown), "$serialized: " . $thrown->getMessage());
        }
    }
}
check($tried > 300, "$tried tried");

// What code of the user throws.
$hooks = [
    'its own' => [fn () => throw new UserError('mine'), UserError::class, 'mine'],
    'one of PHP\'s classes' => [fn () => throw new TypeError('mine'), TypeError::class, 'mine'],
    'as PHP says it' => [fn () => throw new Exception("Unserialization of 'X' is not allowed"), Exception::class, 'not allowed'],
    'by what it asks' => [fn () => unserialize('O:7:"Closure":0:{}'), Exception::class, 'Closure'],
    'by a wrong type' => [fn () => strlen([]), TypeError::class, 'strlen'],
    'by what it reads here' => [fn () => $cache->get(k('a closure')), $class, k('a closure')],
    'by a handle that is closed' => [function () {
        $other = cache();
        $other->close();
        $other->get('a');
    }, TagCache\ClosedException::class, 'closed'],
    'made before' => [(function () {
        $made = new UserError('made before');
        return fn () => throw $made;
    })(), UserError::class, 'made before'],
    'thrown by PHP, thrown again' => [function () {
        try {
            unserialize('O:7:"Closure":0:{}');
        } catch (Exception $e) {
            throw $e;
        }
    }, Exception::class, 'Closure'],
];
$cache->set(k('hooked'), [new Hooked()]);
foreach ($hooks as $what => [Hooked::$hook, $by, $part]) {
    foreach (every_way($cache, 'hooked') as $way => $read) {
        $thrown = throws($by, $read, "$what, $way", $part);
        if ($by === $class) {
            check(!str_contains($thrown->getMessage(), k('hooked')), "$what, $way: as it was thrown");
        }
    }
    throws($by, fn () => tagcache_get($cache, k('hooked')), "$what, tagcache_get", $part);
}
Hooked::$hook = fn () => null;
check($cache->get(k('hooked'))[0] instanceof Hooked, 'and when it does not throw');
put('woken', 'O:5:"Woken":0:{}');
throws(UserError::class, fn () => $cache->get(k('woken')), '__wakeup', 'woken');
put('collection', 'O:10:"Collection":1:{i:0;i:1;}');
throws(UnexpectedValueException::class, fn () => $cache->get(k('collection')), 'of a parent that code of the user calls');
spl_autoload_register($loader = fn ($name) => throw new UserError("no $name"));
put('autoloader', 'O:7:"NoClass":0:{}');
throws(UserError::class, fn () => $cache->get(k('autoloader')), 'an autoloader', 'no NoClass');
spl_autoload_unregister($loader);

// Writing.
$anonymous = new class () {
};
$period = (new ReflectionClass(DatePeriod::class))->newInstanceWithoutConstructor();
foreach (['a closure' => fn () => 1, 'an anonymous class' => $anonymous, 'a period that was not made' => $period] as $what => $value) {
    foreach ([$value, [1, [$value]], new ArrayObject([$value])] as $n => $given) {
        throws($class, fn () => $cache->set(k('w'), $given), "set of $what, $n");
        throws($class, fn () => $cache->mSet([k('w') => 1, k('x') => $given]), "mSet of $what, $n");
        throws($class, fn () => $cache->pipeline()->set(k('w'), $given), "pipeline, $what, $n");
        throws($class, fn () => $cache->remember(k('w'), fn () => $given), "remember of $what, $n");
        same(false, raises(E_WARNING, fn () => tagcache_put($cache, k('w'), $given), "put of $what, $n"), "put of $what, $n");
    }
}
same(false, $cache->has(k('w')), 'nothing was stored');

finish();
--EXPECT--
ok
