--TEST--
What the old clients stored reads as they meant it
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$b64 = fn (mixed $value): string => '__TC_SERIALIZED__' . base64_encode(serialize($value));
$stored = [
    ['', ''], ['plain', 'plain'], ['with space ', 'with space '], ["tab\there", "tab\there"], ['ünïcode', 'ünïcode'],
    ['0', 0], ['42', 42], ['-42', -42], ['9223372036854775807', PHP_INT_MAX], ['-9223372036854775808', PHP_INT_MIN],
    ['1.5', 1.5], ['-0.0', -0.0], ['1.0E+14', 1e14], ['1.0e+25', 1e25], ['1E-7', 1e-7], ['0.30000000000000004', 0.1 + 0.2],
    ['__TC_NULL__', null], ['__TC_TRUE__', true], ['__TC_FALSE__', false],
    ['007', '007'], ['+5', '+5'], ['9223372036854775808', '9223372036854775808'], [' 1', ' 1'], ['0x1A', '0x1A'],
    ['INF', 'INF'], ['NAN', 'NAN'], ['1e', '1e'],
    [$b64([1, 'a' => [true]]), [1, 'a' => [true]]], [$b64('5'), '5'], [$b64(5), 5], [$b64(INF), INF], [$b64(null), null],
    [$b64(false), false], [$b64("a\nb"), "a\nb"], [$b64(''), ''], [$b64((object) ['a' => 1]), (object) ['a' => 1]],
];
foreach ($stored as $n => [$wire, $value]) {
    same(['OK'], raw("PUT\t" . k($n) . "\t-\t-\t$wire"), "raw PUT of $wire");
    alike($value, $cache->get(k($n)), 'get of ' . show($wire));
}

finish();
--EXPECT--
ok
