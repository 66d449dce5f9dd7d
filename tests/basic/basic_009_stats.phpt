--TEST--
stats() has the documented fields and counts
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$before = $cache->stats();
same(['hits', 'misses', 'puts', 'invalidations', 'hit_ratio'], array_keys($before), 'fields');
foreach (['hits', 'misses', 'puts', 'invalidations'] as $name) {
    same('int', get_debug_type($before[$name]), "type of $name");
    check($before[$name] >= 0, "$name is not negative");
}
same('float', get_debug_type($before['hit_ratio']), 'type of hit_ratio');
check($before['hit_ratio'] >= 0.0 && $before['hit_ratio'] <= 1.0, 'range of hit_ratio');

$cache->set(k('a'), 1, [k('t')]);
$cache->set(k('b'), 1);
$cache->get(k('a'));
$cache->get(k('nothing'));
$cache->invalidateTag(k('t'));
// Others use the server at the same time: at least so much more.
$after = $cache->stats();
check($after['hits'] >= $before['hits'] + 1, 'hits');
check($after['misses'] >= $before['misses'] + 1, 'misses');
check($after['puts'] >= $before['puts'] + 2, 'puts');
check($after['invalidations'] >= $before['invalidations'] + 1, 'invalidations');

finish();
--EXPECT--
ok
