--TEST--
Keys with commas work everywhere but in a list of keys
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$whole = k('a,b');
$parts = explode(',', $whole);
$cache->mSet([$whole => 'whole', $parts[0] => 'left', 'b' . k('c') => 'other'], null, [k('t')]);
same('whole', $cache->get($whole), 'get');
same([$whole => 'whole', $parts[0] => 'left'], $cache->mGet([$whole, $parts[0]]), 'mGet');
// As documented: it comes back in pieces.
same_set([$parts[0], $parts[1], $parts[0], 'b' . k('c')], $cache->keysByTag(k('t')), 'keysByTag');
same(1, $cache->mDelete([$whole]), 'mDelete takes it whole');
same('left', $cache->get($parts[0]), 'and not its parts');
$cache->set($whole, 'again', [k('t')]);
same(true, $cache->delete($whole), 'delete');
same('left', $cache->get($parts[0]), 'the part is untouched');
$cache->set($whole, 'again', [k('t')]);
same(3, $cache->invalidateTag(k('t')), 'it goes with its tag');
same([], $cache->mGet([$whole, $parts[0], 'b' . k('c')]), 'all gone');

finish();
--EXPECT--
ok
