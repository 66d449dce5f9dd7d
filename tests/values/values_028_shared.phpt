--TEST--
Arrays that are shared many times over cost no more than they hold
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

/** Gives what it was made with. */
class Gives
{
    public function __construct(private mixed $what)
    {
    }

    public function __serialize(): array
    {
        return ['what' => $this->what];
    }

    public function __unserialize(array $data): void
    {
        $this->what = $data['what'];
    }
}

/** A value in which $levels times the one before stands twice. */
function doubled(int $levels, callable $twice, mixed $value = ['x' => 'innermost']): mixed
{
    while ($levels-- > 0) {
        $value = $twice($value);
    }
    return $value;
}

/** What is innermost. */
function innermost(mixed $value): mixed
{
    while (true) {
        $value = match (true) {
            $value instanceof Traversable => iterator_to_array($value),
            is_object($value) => (array) $value,
            default => $value,
        };
        if (!is_array($value) || isset($value['x'])) {
            return $value;
        }
        $value = end($value);
    }
}

$server = new Fault();
$class = TagCache\SerializationException::class;
$kept = [
    'packed' => fn ($value) => [$value, $value],
    'hash' => fn ($value) => ['a' => $value, 'b' => $value],
    'holes' => fn ($value) => [3 => 'x', 5 => $value, 9 => 1.5, 11 => $value],
    'a reference' => fn ($value) => [&$value, [$value, $value]],
];
// These the serializer 'php' writes once, too.
$once = [
    'by way of objects' => fn ($value) => [new ArrayObject([$value, $value]), $value],
    'in objects' => fn ($value) => [(object) ['a' => $value, 'b' => $value], $value],
    'objects' => fn ($value) => (object) ['a' => $value, 'b' => $value],
    'references' => fn ($value) => [&$value, &$value],
    'references in objects' => function ($value) {
        $object = new stdClass();
        $object->a = &$value;
        $object->b = &$value;
        return $object;
    },
];

/** Runs $call, which must not take long; not again once something did. */
function at_once(callable $call, string $what): void
{
    static $slow = false;
    if ($slow) {
        return;
    }
    [, $ms] = timed($call);
    $slow = !check($ms < 1000, "$what: $ms ms");
}

// The machine is not to be filled, whoever is wrong.
ini_set('memory_limit', '1G');
foreach ([27, 40, 60] as $levels) {
    foreach ($kept + $once as $how => $twice) {
        $value = doubled($levels, $twice);
        $what = "$how, $levels levels";
        at_once(function () use ($server, $value, $what) {
            $cache = $server->cache(['serializer' => 'igbinary']);
            same(true, $cache->set('a', $value), "igbinary: $what");
            same(['x' => 'innermost'], innermost($cache->get('a')), "igbinary: $what, read");
        }, "igbinary: $what");
        at_once(function () use ($server, $value, $what, $how, $once, $class) {
            $cache = $server->cache();
            if (isset($once[$how])) {
                same(true, $cache->set('a', $value), "php: $what");
                same(['x' => 'innermost'], innermost($cache->get('a')), "php: $what, read");
                return;
            }
            throws($class, fn () => $cache->set('a', $value), "php: $what", '1 GiB', 'igbinary');
            throws($class, fn () => $cache->pipeline()->set('a', $value), "php: pipeline, $what", '1 GiB');
            same(false, raises(E_WARNING, fn () => tagcache_put($cache, 'a', $value), "php: function, $what", '1 GiB'), $what);
        }, "php: $what");
        // A class that decides itself is asked, and what it gives is looked at.
        at_once(function () use ($server, $value, $what, $how, $once, $class) {
            $cache = $server->cache();
            foreach ([new Gives($value), [new Gives(1), $value], [$value, new Gives([$value])]] as $n => $given) {
                if (isset($once[$how])) {
                    same(true, $cache->set('a', $given), "given, php: $what, $n");
                } else {
                    throws($class, fn () => $cache->set('a', $given), "given, php: $what, $n", '1 GiB');
                }
            }
        }, "given, php: $what");
        foreach (['json', 'msgpack'] as $name) {
            $levels > 27 && at_once(function () use ($server, $value, $what, $name, $class) {
                $cache = $server->cache(['serializer' => $name]);
                try {
                    same(true, $cache->set('a', $value), "$name: $what");
                } catch (TagCache\SerializationException $refused) {
                    same($class, get_class($refused), "$name: $what");
                }
            }, "$name: $what");
        }
    }
}

// A wide one: nothing is nested twice, and still it is looked at once only.
$wide = array_fill(0, 30_000, range(1, 30_000));
foreach (['php', 'json'] as $name) {
    at_once(fn () => throws($class, fn () => $server->cache(['serializer' => $name])->set('a', $wide), "$name: wide", '1 GiB'), "$name: wide");
}
$object = new stdClass();
foreach (range(1, 20_000) as $n) {
    $object->{"p$n"} = $n;
}
$wide = array_fill(0, 20_000, $object);
foreach (['php', 'msgpack'] as $name) {
    at_once(fn () => same(true, $server->cache(['serializer' => $name])->set('a', $wide), "$name: one object often"), "$name: one object often");
}

// An array in itself, shared.
$loop = [1];
$loop[] = &$loop;
foreach ([40, 60] as $levels) {
    $value = doubled($levels, $kept['packed'], $loop);
    at_once(fn () => throws($class, fn () => $server->cache()->set('a', $value), "a loop, $levels"), "a loop, $levels");
    at_once(fn () => throws($class, fn () => $server->cache()->set('a', [new Gives($value)]), "a given loop, $levels"), "a given loop, $levels");
}

// What was refused or kept before still is.
$inner = [1, 2];
$held = 7;
$with = [&$held];
unset($held);
$json = $server->cache(['serializer' => 'json']);
same(true, $json->set('a', [$inner, $inner, [$inner]]), 'json: shared');
same([$inner, $inner, [$inner]], $json->get('a'), 'json: shared, read');
throws($class, fn () => $json->set('a', [$with, $with]), 'json: a reference in a shared array', 'reference');
throws($class, fn () => $json->set('a', [$with, [[$with]]]), 'json: a reference in a shared array, deeper', 'reference');
throws($class, fn () => $json->set('a', [["\xff"], 1]), 'json: text', 'UTF-8');
$objects = [(object) ['n' => 1], [(object) ['n' => 2]]];
foreach (['php', 'igbinary', 'msgpack'] as $name) {
    $cache = $server->cache(['serializer' => $name]);
    same(true, $cache->set('a', [$objects, $objects, [$objects]]), "$name: objects in a shared array");
    same(2, $cache->get('a')[2][0][1][0]->n, "$name: objects in a shared array, read");
}
// As deep as it may be where it stands first, too deep where it stands again.
$deep = doubled(300, fn ($value) => [$value], []);
same(true, $json->set('a', [$deep, $deep]), 'json: deep');
$deeper = doubled(210, fn ($value) => [$value], $deep);
same(true, $json->set('a', [$deep, $deeper]), 'json: 512 levels');
throws($class, fn () => $json->set('a', [$deep, [$deeper]]), 'json: 513 levels', '512');
throws($class, fn () => $json->set('a', [[$deeper], $deep]), 'json: 513 levels, the other way', '512');
throws($class, fn () => $json->set('a', [$deep, [$deeper], $deep]), 'json: 513 levels in between', '512');
$cache = $server->cache();
$cache->set('a', [$with, $with]);
alike(unserialize(serialize([$with, $with])), $cache->get('a'), 'php: a reference in a shared array');
foreach ([[$inner, $inner], ['a' => $with, 'b' => [$with]], [[$inner], [[$inner, $inner]]]] as $n => $shared) {
    $given = [new Gives($shared), new Gives($shared), $shared];
    $cache->set('a', $given);
    alike($given, $cache->get('a'), "php: given, shared $n");
}

finish();
--EXPECT--
ok
