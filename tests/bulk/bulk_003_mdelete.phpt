--TEST--
mDelete(): how many existed
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->mSet([k('a') => 1, k('b') => null, k('c') => 3], null, [k('t')]);
same(0, $cache->mDelete([]), 'none');
same(0, $cache->mDelete([k('x'), k('y')]), 'none of them exists');
same(2, $cache->mDelete([k('a'), k('x'), k('b')]), 'two of three');
same([k('c') => 3], $cache->mGet([k('a'), k('b'), k('c')]), 'left');
same([k('c')], $cache->keysByTag(k('t')), 'their tags went along');
same(1, $cache->mDelete([k('c'), k('c'), k('c')]), 'the same three times');
same(0, $cache->mDelete(keys: [k('c')]), 'again, by name');

finish();
--EXPECT--
ok
