--TEST--
remember() makes a value once and finds it from then on
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['pool_size' => 1]);
$calls = 0;
$make = function (mixed $value) use (&$calls): Closure {
    return function () use ($value, &$calls): mixed {
        $calls++;
        return $value;
    };
};
foreach ([1, 'text', "a\nb", null, false, 2.5, ['a' => [1]], new ArrayObject([1])] as $n => $value) {
    $calls = 0;
    alike($value, $cache->remember(k("v$n"), $make($value)), "value $n, made");
    alike($value, $cache->remember(k("v$n"), $make('another')), "value $n, found");
    same(1, $calls, "value $n: calls");
    alike($value, $cache->get(k("v$n")), "value $n: an ordinary entry");
}

// Tags and time to live; the arguments by name.
$calls = 0;
same(5, $cache->remember(key: k('t'), make: $make(5), tags: [k('tag'), k('other')], ttl_ms: 60_000, options: ['beta' => 0]), 'with tags');
same([k('t')], $cache->keysByTag(k('tag')), 'the value alone carries the tag');
same(1, $cache->invalidateTag(k('tag')), 'and goes with it');
same(6, $cache->remember(k('t'), $make(6), [k('tag')], 60_000), 'made anew');
same(2, $calls, 'calls');
$cache->remember(k('short'), $make(1), [], 60);
check(eventually(fn () => !$cache->has(k('short'))), 'the time to live is that of the value');
check(eventually(fn () => !$cache->has(k('short') . '~note')), 'and that of its note');

// Every kind of callable.
same(PHP_VERSION, $cache->remember(k('c1'), 'phpversion'), 'the name of a function');
same(3, $cache->remember(k('c2'), [new class { public function three(): int { return 3; } }, 'three']), 'a method');
same(4, $cache->remember(k('c3'), new class { public function __invoke(): int { return 4; } }), 'an object');
throws(TypeError::class, fn () => $cache->remember(k('c4'), 'no_such_function'), 'no function', 'must be a valid callback');
throws(TypeError::class, fn () => $cache->remember(k('c4'), 5), 'a number', 'must be a valid callback');
$array = ['a'];
same(['a'], $cache->remember(k('c5'), function & () use (&$array) { return $array; }), 'one that returns a reference');

// The connection is free while the callback runs.
same([0, 'inner', 'v'], $cache->remember(k('outer'), function () use ($cache): array {
    $in_use = $cache->poolStats()['in_use'];
    $cache->set(k('by'), 'v');
    return [$in_use, $cache->remember(k('inner'), fn () => 'inner'), $cache->get(k('by'))];
}), 'the callback uses the cache, whose pool has one connection');
same('deep', $cache->remember(k('self'), fn () => $cache->remember(k('self'), fn () => 'deep')), 'the same key within');

// What is wrong with the arguments.
$refused = fn (array $options, string ...$parts) => throws(TagCache\InvalidArgumentException::class,
    fn () => $cache->remember(k('x'), $make(1), [], 1000, $options), show($options), ...$parts);
$refused(['stale' => 5], 'stale', 'stale_ms', 'wait_ms');
$refused(['stale_ms' => -1], 'stale_ms', '0 to 86400000');
$refused(['lock_ms' => 0], 'lock_ms', '1 to');
$refused(['wait_ms' => '5'], 'wait_ms');
$refused(['beta' => -0.5], 'beta');
$refused(['beta' => NAN], 'beta');
$refused([5 => 1], '5');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->remember("a\tb", $make(1)), 'a bad key', 'TAB');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->remember(k('x'), $make(1), [], 0), 'a TTL of 0', 'ttl_ms');
same(false, $cache->has(k('x')), 'nothing was stored');
same(false, $cache->has(k('x') . '~lock'), 'and nothing locked');
$cache->close();
throws(TagCache\ClosedException::class, fn () => $cache->remember(k('x'), $make(1)), 'a closed handle');

finish();
--EXPECT--
ok
