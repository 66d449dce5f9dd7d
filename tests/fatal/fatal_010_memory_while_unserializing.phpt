--TEST--
memory_limit hit while an array is read: PHP's one message is what is left, and nothing hides it
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$keep = $server->cache(['timeout_ms' => 30_000]);
$keep->set('php', array_fill(0, 400_000, 'abcdefgh'));
$server->cache(['serializer' => 'json'])->set('json', array_fill(0, 400_000, 'abcdefgh'));
foreach (['get("php")', 'mGet(["php"])', 'remember("php", fn () => 1)', 'get("json")'] as $call) {
    foreach ([3, 7] as $more) {
        $out = run_php(<<<PHP
            \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'timeout_ms' => 30_000]);
            \$cache->has('php');
            register_shutdown_function(function () use (\$cache) {
                ini_set('memory_limit', '-1');
                \$last = error_get_last();
                echo \$last['type'], ' ', basename(\$last['file']) !== 'Unknown' ? 'a place' : 'no place', ' ';
                echo str_contains(\$last['message'], 'Allowed memory size') ? 'memory' : \$last['message'];
            });
            ini_set('memory_limit', memory_get_usage() + $more * 1_000_000);
            \$cache->$call;
            echo 'not reached';
            PHP);
        same(['1 a place memory', 255], [$out->output, $out->code], "$call, $more MB: $out->errors");
    }
}

finish();
--EXPECT--
ok
