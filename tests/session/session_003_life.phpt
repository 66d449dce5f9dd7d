--TEST--
A session lives as long as it is used, also when nothing in it changes
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions(['session.gc_maxlifetime' => 2, 'session.lazy_write' => 1]);
$cache = cache();
$id = new_id();
in_session($id, fn () => $_SESSION['a'] = 1);
for ($n = 0; $n < 4; $n++) {
    usleep(700_000);
    in_session($id, fn () => same(1, $_SESSION['a'] ?? null, "read only, time $n"));
}
check(eventually(fn () => !$cache->has("session:$id"), 5), 'unused, it goes');
in_session($id, fn () => same([], $_SESSION, 'and begins anew'));

ini_set('session.gc_maxlifetime', (string) PHP_INT_MAX);
in_session($id, fn () => $_SESSION['a'] = 2);
in_session($id, fn () => same(2, $_SESSION['a'] ?? null, 'for ever'));
same(true, $cache->set(k('longest'), 1, [], PHP_INT_MAX), 'the longest time of an entry');
same(1, $cache->get(k('longest')), 'it is there');

finish();
--EXPECT--
ok
