--TEST--
What __serialize() and __sleep() give is looked at: resources are refused, all else is written as PHP writes it
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Giver
{
    public static array $calls = [];
    public string $name = 'giver';

    public function __construct(public mixed $gives, string $name = 'giver')
    {
        $this->name = $name;
    }

    public function __serialize(): array
    {
        self::$calls[] = $this->name;
        return $this->gives instanceof Closure ? ($this->gives)($this) : $this->gives;
    }

    public function __unserialize(array $data): void
    {
        $this->gives = $data;
    }
}

class Sleeper
{
    public mixed $public = 1;
    protected mixed $protected = 2;
    private mixed $private = 3;
    public mixed $file = null;
    public ?int $typed;
    public $unset;

    public function __construct(public array $names, mixed $public = 1, mixed $private = 3)
    {
        [$this->public, $this->private, $this->file] = [$public, $private, STDIN];
        unset($this->unset);
    }

    public function __sleep(): array
    {
        Giver::$calls[] = 'sleeper';
        return $this->names;
    }
}

class Child extends Sleeper
{
    private mixed $private = 'of the child';
}

#[AllowDynamicProperties]
class Holder
{
    public mixed $one = null;
    private mixed $two = null;
    public int $never;

    public function __construct(mixed $one, mixed $two = null)
    {
        [$this->one, $this->two] = [$one, $two];
    }
}

class Json implements JsonSerializable
{
    public function jsonSerialize(): mixed
    {
        return ['file' => STDIN];
    }
}

class Mine extends ArrayObject
{
    public $more = [1];
}

/** What $call returns, and what PHP says meanwhile, without the name of the function. */
function complaints(Closure $call): array
{
    $said = [];
    set_error_handler(function (int $level, string $message) use (&$said): bool {
        $said[] = [$level, substr($message, strpos($message, '(): '))];
        return true;
    });
    $returned = $call();
    restore_error_handler();
    return [$returned, $said];
}

$server = new Fault();
$cache = $server->cache();
$igbinary = $server->cache(['serializer' => 'igbinary']);
$class = TagCache\SerializationException::class;

// Resources, however they come in.
$in = new Giver([0]);
$in->gives = fn () => ['deep' => [[new Giver(['file' => STDIN], 'inner')]]];
$bad = [
    'from __serialize()' => new Giver(['file' => STDIN]), 'a closed one' => new Giver([(function () { $f = tmpfile(); fclose($f); return $f; })()]),
    'by reference' => new Giver((function () { $f = STDIN; return ['a' => &$f, 'b' => &$f]; })()), 'from an inner one' => $in,
    'in an object that it gives' => new Giver([new Holder(null, [STDIN])]), 'behind an ArrayObject' => new ArrayObject([new Giver([STDIN])]),
    'in a property' => new Holder(1, [new Giver([STDIN])]), 'named by __sleep()' => new Sleeper(['public', 'file']),
    'within what __sleep() names' => new Sleeper(['private'], 1, new Giver([[STDIN]])), 'in a storage' => (function () {
        $storage = new SplObjectStorage();
        $storage[new stdClass()] = new Giver([STDIN]);
        return $storage;
    })(), 'in an object of PHP\'s' => new Mine([STDIN]), 'made by __serialize()' => new Giver(function (Giver $giver) {
        $giver->gives = [STDIN];
        return $giver->gives;
    }),
];
foreach ($bad as $what => $value) {
    foreach (['php' => $cache, 'igbinary' => $igbinary] as $name => $handle) {
        throws($class, fn () => $handle->set('a', $value), "$name: set, $what", 'resource');
        throws($class, fn () => $handle->add('a', [$value]), "$name: add, $what", 'resource');
        throws($class, fn () => $handle->mSet(['b' => 1, 'a' => ['x' => $value]]), "$name: mSet, $what", 'resource');
        throws($class, fn () => $handle->mSetItems(['a' => ['value' => $value]]), "$name: mSetItems, $what", 'resource');
        throws($class, fn () => $handle->mAdd(['a' => $value]), "$name: mAdd, $what", 'resource');
        throws($class, fn () => $handle->pipeline()->set('a', $value), "$name: pipeline, $what", 'resource');
        throws($class, fn () => $handle->pipeline()->mSet(['a' => $value]), "$name: pipeline, mSet, $what", 'resource');
        throws($class, fn () => $handle->batch()->set('a', $value), "$name: batch, $what", 'resource');
        same(false, raises(E_WARNING, fn () => tagcache_put($handle, 'a', $value), "$name: put", 'resource'), "$name: tagcache_put, $what");
        same(0, raises(E_WARNING, fn () => tagcache_bulk_put($handle, ['a' => $value]), "$name: bulk_put", 'resource'), "$name: tagcache_bulk_put, $what");
    }
}
// Whatever is done with PHP's errors: igbinary only mentions a resource, as something deprecated.
$reporting = error_reporting(0);
throws($class, fn () => $igbinary->set('a', new Giver([STDIN])), 'igbinary: errors are not reported', 'resource');
error_reporting($reporting);
set_error_handler(fn () => throw new ErrorException('handled'));
throws($class, fn () => $igbinary->set('a', new Giver([STDIN])), 'igbinary: errors are thrown', 'resource');
restore_error_handler();
foreach (['json' => new Json(), 'msgpack' => new Giver([STDIN]), 'native' => new Giver([STDIN])] as $name => $value) {
    throws($class, fn () => $server->cache(['serializer' => $name])->set('a', $value), $name, $name);
}
same([], $server->commands(), 'nothing of it reached the server');

// Nothing else changes: the bytes are those that PHP's own functions give.
$shared = new Holder('shared', new Giver(['x' => 1]));
$number = 5;
$loop = new stdClass();
$loop->giver = new Giver(['back' => $loop, 'again' => [$loop]]);
$ring = new Giver([]);
$ring->gives = ['self' => $ring, 'list' => [&$ring->name, &$ring->name]];
$numbers = (object) ['5' => new Giver([5 => 'five', '' => 'empty', -1 => [], "\0x" => null]), '' => 1];
$only = [1];
$single = [&$only];
unset($only);
$self = [];
$self['self'] = &$self;
$self['giver'] = new Giver([1]);
$selves = $self;
unset($self);
$incomplete = unserialize('O:7:"Unknown":2:{s:1:"a";i:1;s:1:"b";O:5:"Giver":1:{i:0;i:2;}}', ['allowed_classes' => ['Giver']]);
$storage = new SplObjectStorage();
$storage[new stdClass()] = new Giver([1, 'two', [3.5]]);
enum Suit: string { case Hearts = 'h'; }
$good = [
    'scalars' => new Giver([0, null, true, 1.0, -0.0, NAN, 0.1 + 0.2, 'text', '', "\0\xff", '5']),
    'nothing' => new Giver([]), 'keys' => $numbers, 'twice' => [$shared, [$shared], 'x' => new Giver([$shared, $shared])],
    'references' => [&$number, new Giver([&$number, &$number, 'x' => [&$number]]), &$number], 'a loop' => $loop, 'a ring' => [$ring, &$ring],
    'a reference to an object' => [$shared, new Giver([&$shared, $shared])], 'the other way round' => [new Giver([&$shared]), $shared, &$shared],
    'a reference that is alone' => [$single, new Giver([1]), $single], 'an array in itself' => $selves,
    'enums' => new Giver([Suit::Hearts, [Suit::Hearts]]), 'dates' => new Giver([new DateTime('@0'), new DateTimeImmutable('@1'), new DateInterval('P1D')]),
    'PHP\'s own' => [new Mine([new Giver([1])]), new ArrayIterator([new Giver([2])]), SplFixedArray::fromArray([new Giver([3])]), $storage],
    'an incomplete one' => [$incomplete, new Giver([$incomplete])], 'a closure that is called' => new Giver(fn ($giver) => ['of' => $giver]),
    'a number of levels' => array_reduce(range(1, 300), fn ($inner, $n) => $n % 3 ? [$inner, $n] : new Giver([$n, 'in' => $inner]), 'end'),
    'sleeper' => new Sleeper(['public', 'protected', 'private']), 'of a child' => new Child(['public', 'protected', 'private']),
    'sleepers' => [new Sleeper(['public', 'private'], $shared, [$shared]), $shared], 'nothing named' => [new Sleeper([]), new Giver([1])],
    'temporary ones' => new Giver(fn () => array_map(fn ($n) => new Giver([$n, new Holder($n)]), range(1, 50))),
];
foreach ($good as $what => $value) {
    $handles = ['php' => $cache, 'igbinary' => $igbinary];
    if ($what === 'an array in itself') {
        unset($handles['igbinary']); // refused: it comes back as one in another
    }
    Giver::$calls = [];
    $expected = serialize($value);
    $calls = Giver::$calls;
    foreach ($handles as $name => $handle) {
        $bytes = $name === 'php' ? $expected : igbinary_serialize($value);
        Giver::$calls = [];
        $handle->set('a', $value);
        same("PUT\ta\t-\t-\t__TC_SERIALIZED__" . base64_encode($bytes), $server->commands()[0], "$name, $what");
        same($calls, Giver::$calls, "$name, $what: each was asked once, in PHP's order");
        $handle->mSet(['b' => 1, 'a' => $value]);
        same("PUT\ta\t-\t-\t__TC_SERIALIZED__" . base64_encode($bytes), $server->commands()[1], "$name, $what, mSet");
        $handle->get('a');
        $server->commands();
    }
}

// What PHP warns of, and what it throws.
foreach ([['public', 'typed'], ['nope'], ['unset'], ['public', 'public'], ['public', 'nope', 'private']] as $names) {
    $value = [new Giver([1]), new Sleeper($names)];
    [$bytes, $complaints] = complaints(fn () => serialize($value));
    same([true, $complaints], complaints(fn () => $cache->set('a', $value)), 'it is stored, with what PHP says');
    same("PUT\ta\t-\t-\t__TC_SERIALIZED__" . base64_encode($bytes), $server->commands()[0], 'as PHP writes it');
}
throws($class, fn () => $cache->set('a', new Sleeper([5])), 'a name that is none', '__sleep()');
throws($class, fn () => $igbinary->set('a', new Sleeper(['nope'])), 'igbinary writes null for it', '__sleep()');
throws($class, fn () => $cache->set('a', new Giver([fn () => 1])), 'a closure', 'Closure', 'not allowed');
throws($class, fn () => $cache->set('a', [new Giver([new class () {}])]), 'an anonymous class', 'not allowed');
throws($class, fn () => $cache->set('a', new Giver(['__PHP_Incomplete_Class_Name' => 'x'])), 'a name of PHP\'s', '__PHP_Incomplete_Class_Name');
throws(LogicException::class, fn () => $cache->set('a', [1, new Giver(fn () => throw new LogicException('no'))]), 'what it throws', 'no');
class Wrong { public function __serialize() { return 5; } }
$thrown = throws($class, fn () => $cache->set('a', [new Wrong()]), 'no array', '__serialize() must return an array');
check($thrown?->getPrevious() instanceof TypeError, 'no array: what PHP has thrown');
same([], $server->commands(), 'nothing of it reached the server');

// Arrays in themselves, by a reference that nothing else has.
$loops = [];
foreach ([['self'], ['a', 'self'], ['a', 'b', 'self']] as $path) {
    $loop = ['giver' => new Giver([1]), 'more' => [2]];
    $place = &$loop;
    foreach ($path as $name) {
        $place = &$place[$name];
    }
    $place = null;
    unset($place);
    match (count($path)) {
        1 => $loop['self'] = &$loop, 2 => $loop['a']['self'] = &$loop, 3 => $loop['a']['b']['self'] = &$loop,
    };
    $loops[] = $loop;
    $loops[] = ['x' => $loop];
    $loops[] = new Holder($loop, [$loop]);
    unset($loop);
}
foreach ($loops as $n => $value) {
    try {
        $bytes = serialize($value);
    } catch (Error) {
        // PHP 8.4 goes round until its stack ends.
        throws($class, fn () => $cache->set('a', $value), "loop $n", 'in itself');
        continue;
    }
    $cache->set('a', $value);
    if ($n < 3) {
        same("PUT\ta\t-\t-\t__TC_SERIALIZED__" . base64_encode($bytes), array_slice($server->commands(), -1)[0], "loop $n");
    }
    // In the others PHP 8.2 takes an object that it meets again for another one.
    same(get_debug_type($value), get_debug_type($cache->get('a')), "loop $n is read");
}

// While it is asked it may change what it stands in.
$list = ['before', null, 'after'];
$list[1] = new Giver(function () use (&$list) {
    $list = 'gone';
    return ['x' => 1];
});
$cache->set('a', [&$list]);
same(['before', 'after'], [$cache->get('a')[0][0], $cache->get('a')[0][2]], 'the list goes on');
$holder = new Holder(null, 'after');
$holder->one = new Giver(function () use ($holder) {
    $holder->one = null;
    unset($holder->never);
    $holder->new = str_repeat('x', 1000);
    return ['y' => 2];
});
$cache->set('a', $holder);
same(['y' => 2], $cache->get('a')->one->gives, 'the object goes on');

// The memory of all that is given back.
$value = $good['twice'];
$round = function () use ($cache, $value, $bad, $class) {
    for ($n = 0; $n < 200; $n++) {
        $cache->set('a', [$value, new Sleeper(['public', 'private']), new Giver(fn ($giver) => [$giver, &$giver->name])]);
        throws($class, fn () => $cache->set('a', [$value, $bad['from an inner one']]), 'a resource');
    }
    gc_collect_cycles();
};
$round();
$used = memory_get_usage();
Giver::$calls = [];
$round();
Giver::$calls = [];
check(memory_get_usage() - $used < 100_000, 'nothing leaks: ' . memory_get_usage() - $used);

finish();
--EXPECT--
ok
