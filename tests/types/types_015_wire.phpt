--TEST--
What goes over the wire is what the protocol and old clients expect
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$b64 = fn (mixed $value): string => '__TC_SERIALIZED__' . base64_encode(serialize($value));
$forms = [
    [null, '__TC_NULL__'], [true, '__TC_TRUE__'], [false, '__TC_FALSE__'], [0, '0'], [-5, '-5'], [PHP_INT_MIN, '-9223372036854775808'],
    ['', ''], ['text', 'text'], ["a\tb", "a\tb"], ['é', 'é'], ['5', $b64('5')], ["a\nb", $b64("a\nb")], ["\xff", $b64("\xff")],
    ['a\nb', $b64('a\nb')], ['__TC_NULL__', $b64('__TC_NULL__')], [[1, 2], $b64([1, 2])], [INF, $b64(INF)], [NAN, $b64(NAN)],
    [(object) ['a' => 1], $b64((object) ['a' => 1])],
];
foreach ($forms as [$value, $wire]) {
    $cache->set('k', $value);
    same(["PUT\tk\t-\t-\t$wire"], $server->commands(), 'set of ' . show($value));
}
foreach ([1.0, -0.0, 0.5, 1e14, 1e22, 0.1 + 0.2, 5e-324, PHP_FLOAT_MAX] as $float) {
    $cache->set('k', $float);
    $wire = explode("\t", $server->commands()[0])[4];
    check(preg_match('/[.eE]/', $wire) === 1, "a float has a point or an exponent: $wire");
    alike($float, (float) $wire, "and is exact: $wire");
}
$cache->set('k', 'v', ['a', 'b'], 1500);
$cache->add('k', 'v', ['a']);
$cache->increment('n');
$cache->increment('n', 5, 100, ['a', 'b']);
$cache->decrement('n', 2);
$cache->delete('k');
$cache->invalidateTag('a');
$cache->invalidateTags(['a', 'b']);
$cache->invalidateTags(['a', 'b'], 'all');
$cache->keysByTag('a');
$cache->stats();
$cache->flush();
$lines = $server->commands();
same(["PUT\tk\t1500\ta,b\tv", "ADD\tk\t-\ta\tv"], array_slice($lines, 0, 2), 'PUT and ADD');
check(preg_match('/^INCR\tn\t1(\t-(\t-)?)?$/', $lines[2]) === 1, "INCR: $lines[2]");
same("INCR\tn\t5\t100\ta,b", $lines[3], 'INCR with everything');
check(preg_match('/^DECR\tn\t2(\t-(\t-)?)?$/', $lines[4]) === 1, "DECR: $lines[4]");
same(["DEL\tk", "INV_TAG\ta", "INV_TAGS_ANY\ta,b", "INV_TAGS_ALL\ta,b", "KEYS_BY_TAG\ta", 'STATS', 'FLUSH'],
    array_slice($lines, 5), 'the others');

finish();
--EXPECT--
ok
