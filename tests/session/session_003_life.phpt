--TEST--
A session lives as long as it is used, also when nothing in it changes
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions(['session.gc_maxlifetime' => 1, 'session.lazy_write' => 1]);
$cache = cache();
$id = new_id();
in_session($id, fn () => $_SESSION['a'] = 1);
for ($n = 0; $n < 4; $n++) {
    usleep(500_000);
    in_session($id, fn () => same(1, $_SESSION['a'] ?? null, "read only, time $n"));
}
check(eventually(fn () => !$cache->has("session:$id"), 3), 'unused, it goes');
in_session($id, fn () => same([], $_SESSION, 'and begins anew'));

finish();
--EXPECT--
ok
