--TEST--
increment() and decrement()
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
same(1, $cache->increment(k('n')), 'from nothing');
same(6, $cache->increment(k('n'), 5), 'by 5');
same(4, $cache->decrement(k('n'), 2), 'down by 2');
same(3, $cache->decrement(k('n')), 'down by 1');
same(3, $cache->increment(k('n'), 0), 'by 0');
same(-7, $cache->increment(k('n'), -10), 'by a negative');
same(3, $cache->decrement(k('n'), -10), 'down by a negative');
same(-1, $cache->decrement(k('new')), 'down from nothing');
same(3, $cache->get(k('n')), 'it reads as an integer');
$cache->set(k('m'), 41);
same(42, $cache->increment(key: k('m'), by: 1), 'from a stored integer');

same(PHP_INT_MAX, $cache->increment(k('max'), PHP_INT_MAX), 'up to the greatest');
throws(TagCache\ServerException::class, fn () => $cache->increment(k('max')), 'beyond it', 'overflow');
same(PHP_INT_MAX, $cache->get(k('max')), 'unchanged');
same(PHP_INT_MIN, $cache->increment(k('min'), PHP_INT_MIN), 'down to the least');
throws(TagCache\ServerException::class, fn () => $cache->decrement(k('min')), 'below it', 'overflow');
same(PHP_INT_MIN, $cache->get(k('min')), 'unchanged');

foreach (['string' => '5', 'text' => 'abc', 'float' => 1.5, 'null' => null, 'bool' => true, 'array' => [1]] as $name => $value) {
    $cache->set(k($name), $value);
    throws(TagCache\ServerException::class, fn () => $cache->increment(k($name)), "on a $name", 'not an integer');
    throws(TagCache\ServerException::class, fn () => $cache->decrement(k($name)), "on a $name", 'not an integer');
    same($value, $cache->get(k($name)), "the $name is unchanged");
}
$hint = throws(TagCache\ServerException::class, fn () => $cache->increment(k('string')), 'on "5"');
check(preg_match('/\bint/i', $hint->getMessage()) === 1, 'the message says what to do: ' . $hint->getMessage());

finish();
--EXPECT--
ok
