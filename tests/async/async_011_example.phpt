--TEST--
The examples run: a pipeline, a batch, an event loop with callbacks and Fibers
--FILE--
<?php
require __DIR__ . '/../inc/daemon.inc';
require __DIR__ . '/../inc/child.inc';

$server = new Daemon();
foreach ([
    'pipeline' => ['6 commands collected', '5: {"demo:visits":42}', 'ServerException', 'Ada came 42 times', '6 entries removed'],
    'batch' => ['worked meanwhile', 'stock: 6', 'side: "(nothing)"', 'the server refused INCR', '3 entries removed'],
    'event-loop' => ['callback: "one", "a default", 3 keys', 'Fibers: 1: one (3), 2: two (3), 3: three (5)', 'ticks meanwhile: 5', '6 entries removed'],
] as $name => $parts) {
    $file = realpath(__DIR__ . "/../../php/examples/$name.php");
    $out = run_php(
        'putenv("TAGCACHE_DSN=tagcache://127.0.0.1:$argv[1]?pool_size=4"); require $argv[2];',
        [$server->port, $file]
    );
    same(['', 0], [$out->errors, $out->code], "$name: $out->output");
    foreach ($parts as $part) {
        check(str_contains($out->output, $part), "$name: no '$part' in $out->output");
    }
}

finish();
--EXPECT--
ok
