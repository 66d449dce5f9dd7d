--TEST--
invalidateTags() by any and by all
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$fill = fn () => $cache->set(k('ab'), 1, [k('a'), k('b')]) && $cache->set(k('xa'), 1, [k('a')])
    && $cache->set(k('xb'), 1, [k('b')]) && $cache->set(k('c'), 1, [k('c')]);
$left = fn (): array => array_keys($cache->mGet(array_map(k(...), ['ab', 'xa', 'xb', 'c'])));
$fill();
same(3, $cache->invalidateTags([k('a'), k('b')]), 'any by default');
same([k('c')], $left(), 'left');
$fill();
same(3, $cache->invalidateTags([k('a'), k('b')], 'any'), 'any');
same([k('c')], $left(), 'left');
$fill();
same(1, $cache->invalidateTags([k('a'), k('b')], 'all'), 'all');
same([k('xa'), k('xb'), k('c')], $left(), 'left');
$fill();
same(1, $cache->invalidateTags(mode: 'all', tags: [k('b'), k('a')]), 'by name, in another order');
$fill();
same(0, $cache->invalidateTags([k('a'), k('none')], 'all'), 'all, with one that nobody has');
same(2, $cache->invalidateTags([k('a'), k('none')], 'any'), 'any, with one that nobody has');
$fill();
same(2, $cache->invalidateTags([k('a'), k('a')]), 'the same twice');
$fill();
same(0, $cache->invalidateTags([]), 'no tags remove nothing');
same(0, $cache->invalidateTags([], 'all'), 'no tags remove nothing by all either');
same(4, count($left()), 'left');
foreach (['', 'ANY', 'some', 'any ', 'none'] as $mode) {
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->invalidateTags([k('a')], $mode), "mode '$mode'", 'any', 'all');
}
throws(TagCache\InvalidArgumentException::class, fn () => $cache->invalidateTags([], 'some'), 'a wrong mode of no tags');
same(4, count($left()), 'left after wrong modes');

finish();
--EXPECT--
ok
