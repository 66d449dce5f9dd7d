--TEST--
memory_limit hit while a large value is sent
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$keep = $server->cache();
$keep->set('kept', 'stays');
foreach ([
    'a large array' => '$cache->set("k", array_fill(0, 60_000, "element"));', 'an mSet' => '$cache->mSet(array_fill(0, 60_000, ["element"]));',
] as $name => $call) {
    $out = run_php(<<<PHP
        \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1]);
        \$cache->get('kept');
        register_shutdown_function(function () use (\$cache) {
            ini_set('memory_limit', '64M');
            echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'], ';', \$cache->has('k') ? 'stored' : 'nothing';
        });
        \$balloon = str_repeat('x', 1_000_000);
        ini_set('memory_limit', (string) (memory_get_usage(true) + 2_100_000));
        $call
        echo 'passed;';
        PHP);
    // Whether it hits the limit, and when, is up to how PHP manages its memory.
    check(in_array($out->code, [0, 255], true), "$name: code $out->code, $out->errors");
    check(preg_match('/^(passed;)?stays;0;(stored|nothing)$/', $out->output) === 1, "$name: the end: $out->output");
    same(0, $out->signal, "$name: no signal");
    check(eventually(fn () => $server->stats()['peers'] === 1), "$name: the connection is closed");
}

finish();
--EXPECT--
ok
