--TEST--
What stands in the place of a session does not come to life, and a session can be ended while it is read
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions();
$ends = ['session_write_close', 'session_destroy', 'session_abort'];

// An autoloader, and a handler of errors, that end the session that is being read.
$loaded = $raised = [];
$end = null;
spl_autoload_register(function (string $class) use (&$loaded, &$end): void {
    $loaded[] = $class;
    @$end();
    eval("enum $class { case Case; }");
});
set_error_handler(function (int $level, string $message) use (&$raised, &$end): bool {
    $raised[] = $message;
    @$end();
    return true;
});
$class = 0;
foreach ($ends as $end) {
    foreach ([
        'an enum' => 'E:6:"Evil%d:Case";',
        'an enum in an array' => 'a:1:{i:0;E:6:"Evil%d:Case";}',
        'an object' => 'O:5:"Evil%d":0:{}',
        'an object that reads itself' => 'C:5:"Evil%d":0:{}',
        'no text' => 'a:2:{i:0;i:1;i:1;R:2;}',
        'damaged text' => 's:9:"short";',
        'nothing' => '',
    ] as $what => $bytes) {
        $id = new_id();
        $bytes = str_replace('E:6:', 'E:10:', sprintf($bytes, $class % 10));
        raw("PUT\tsession:$id\t-\t-\t__TC_SERIALIZED__" . base64_encode($bytes));
        $class++;
        session_id($id);
        $raised = [];
        same(false, session_start(), "$what: not started");
        check(str_contains($raised[0] ?? '', $id), "$what: what is said: " . show($raised));
        session_status() === PHP_SESSION_ACTIVE && session_abort();
    }
}
same([], $loaded, 'no class was loaded');
restore_error_handler();

// Text in any form is one.
foreach (['as it is' => 'a|s:1:"b";', 'that a line cannot carry' => "a|s:3:\"b\nc\";", 'compressed' => 'a|s:9000:"' . str_repeat('x', 9000) . '";'] as $what => $text) {
    $id = new_id();
    cache($what === 'compressed' ? ['compression' => 'zstd', 'compression_threshold' => 100] : [])->set("session:$id", $text);
    session_id($id);
    check(session_start(), "$what: started");
    session_abort();
}

finish();
--EXPECT--
ok
