--TEST--
Integers, floats, booleans and null come back identical
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$values = [
    0, 1, -1, 9, 10, 127, 128, 255, 256, -128, 32767, 65536, 2147483647, 2147483648, -2147483648, -2147483649,
    4294967295, 4294967296, 9007199254740991, 9007199254740992, 9007199254740993, PHP_INT_MAX, PHP_INT_MAX - 1,
    PHP_INT_MIN, PHP_INT_MIN + 1,
    0.0, -0.0, 1.0, -1.0, 0.1, 0.2, 0.1 + 0.2, 1 / 3, M_PI, M_E, 1e14, 1e15, 1e16, 1e17, 1e22, 1e23, 1e100, -1e100,
    1e-7, 1e-100, 123456789012345678.0, 9007199254740993.0, 4.35, 2.675, 1.1, 100.0, 1e5, 5e-324,
    2.2250738585072014e-308, 2.225073858507201e-308, PHP_FLOAT_MAX, -PHP_FLOAT_MAX, PHP_FLOAT_MIN, PHP_FLOAT_EPSILON,
    (float) PHP_INT_MAX, (float) PHP_INT_MIN, INF, -INF, NAN,
    true, false, null,
];
foreach ($values as $n => $value) {
    $cache->set(k($n), $value);
    alike($value, $cache->get(k($n)), 'set/get of ' . show($value));
    tagcache_put($cache, k("p$n"), $value);
    alike($value, tagcache_get($cache, k("p$n")), 'tagcache_put/get of ' . show($value));
    $cache->add(k("a$n"), $value);
    alike($value, $cache->get(k("a$n")), 'add of ' . show($value));
}
$cache->set(k('minus zero'), -0.0);
same(-INF, fdiv(1, $cache->get(k('minus zero'))), 'minus zero keeps its sign');

$items = [];
foreach ($values as $n => $value) {
    $items[k("m$n")] = $value;
}
// Bit patterns of floats and integers by chance.
mt_srand(20261122);
for ($n = 0; $n < 500; $n++) {
    $bits = pack('NN', mt_rand(0, 0x7fffffff) * 2 + $n % 3 % 2, mt_rand(0, 0x7fffffff));
    $items[k("r$n")] = $n % 2 ? unpack('E', $bits)[1] : unpack('J', $bits)[1];
}
same(count($items), $cache->mSet($items), 'mSet');
$got = $cache->mGet(array_keys($items));
foreach ($items as $key => $value) {
    alike($value, $got[$key] ?? null, 'mSet/mGet of ' . show($value));
}

finish();
--EXPECT--
ok
