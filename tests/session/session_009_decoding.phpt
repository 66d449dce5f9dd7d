--TEST--
However PHP fails while it reads a stored session, no lock is left
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

$cache = cache();
$errors = [
    'an exception' => 'throw new Exception("autoload");',
    'a syntax error' => 'eval("class {");',
    'exit' => 'exit(3);',
    'no memory' => 'str_repeat("x", 1 << 30);',
    'a fatal error' => 'eval("class Gone extends Gone {}");',
];
foreach ($errors as $what => $error) {
    foreach (['0', '1'] as $locking) {
        $id = new_id();
        $cache->set("session:$id", 'o|O:4:"Gone":0:{}', [], 60_000);
        $outcome = run_php(
            'spl_autoload_register(function () { echo "reads"; ' . $error . ' }); session_id($argv[1]); session_start();',
            [$id],
            session_settings(['memory_limit' => '64M', 'tagcache.session_locking' => $locking]),
        );
        same('reads', substr($outcome->output, 0, 5), "$what: it was read: $outcome->errors");
        check($outcome->code > 0, "$what: exit code $outcome->code");
        same(false, $cache->has("session:$id~lock"), "$what: no lock, locking $locking");
    }
}
// One that is caught: the script goes on, and so may others.
$id = new_id();
$cache->set("session:$id", 'o|O:4:"Gone":0:{}', [], 60_000);
use_sessions();
spl_autoload_register(fn (string $class) => $class === 'Gone' ? throw new DomainException('autoload') : null);
session_id($id);
throws(DomainException::class, fn () => @session_start(), 'caught', 'autoload');
same(false, $cache->has("session:$id~lock"), 'caught: no lock');

finish();
--EXPECT--
ok
