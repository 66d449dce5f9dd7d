--TEST--
A miss, a stored null, a stored false and an error are four things
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';
require __DIR__ . '/../inc/fault.inc';

$cache = cache();
$marker = new stdClass();
same(null, $cache->get(k('miss')), 'a miss');
same($marker, $cache->get(k('miss'), $marker), 'a miss with a default gives the default itself');
same(false, $cache->has(k('miss')), 'has of a miss');
$cache->set(k('null'), null);
same(null, $cache->get(k('null'), $marker), 'a stored null is not replaced by the default');
same(true, $cache->has(k('null')), 'has of a stored null');
$cache->set(k('false'), false);
same(false, $cache->get(k('false'), $marker), 'a stored false');
same(true, $cache->has(k('false')), 'has of a stored false');
$cache->set(k('empty'), '');
same('', $cache->get(k('empty'), $marker), 'a stored empty string');
same(true, $cache->has(k('empty')), 'has of a stored empty string');
same([k('null') => null, k('false') => false, k('empty') => ''],
    $cache->mGet([k('miss'), k('null'), k('false'), k('empty')]), 'mGet tells them apart');

foreach ([1, 'text', [1, [2]], 1.5, true] as $default) {
    same($default, $cache->get(k('miss'), $default), 'default ' . show($default));
}

$absent = new TagCache(['host' => '127.0.0.1', 'port' => closed_port()]);
throws(TagCache\ConnectionException::class, fn () => $absent->get('x', 'default'), 'an error is not the default');
throws(TagCache\ConnectionException::class, fn () => $absent->has('x'), 'has');

finish();
--EXPECT--
ok
