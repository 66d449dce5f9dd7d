--TEST--
Duplicates and integer keys in every bulk call
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$cache->mSet([k('a') => 1, k('b') => 2]);
same([k('b') => 2, k('a') => 1], $cache->mGet([k('b'), k('a'), k('b'), k('x'), k('a')]), 'mGet: where it was first asked');
same(2, $cache->mDelete([k('a'), k('b'), k('a')]), 'mDelete: a second time it is gone');
$base = random_int(1 << 40, 1 << 50);
$keys = [$base, "$base", "0$base", -$base, "$base "];
same(4, $cache->mSet([$base => 'int', "0$base" => 'zero', -$base => 'negative', "$base " => 'space']), 'mSet');
same([$base => 'int', "0$base" => 'zero', -$base => 'negative', "$base " => 'space'], $cache->mGet($keys), 'mGet');
same('int', $cache->get("$base"), 'get of the string');
same(['int', ['a' => 1]], [$cache->pipeline()->mGet($keys)->execute()[0][$base], ['a' => 1]], 'in a pipeline');
same('negative', $cache->batch()->mGet($keys)->value()[-$base], 'in a batch');
same(4, $cache->mDelete($keys), 'mDelete');

finish();
--EXPECT--
ok
