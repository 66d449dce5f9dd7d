--TEST--
PHP's time limit within __serialize and __unserialize
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$server->cache()->set('kept', 'stays');
foreach (['set' => '$cache->set("k", new Busy());', 'get' => '$cache->get("busy");', 'mGet' => '$cache->mGet(["kept", "busy"]);'] as $name => $call) {
    $out = run_php(<<<PHP
        class Busy
        {
            public static bool \$armed = false;
            public function __serialize(): array
            {
                while (self::\$armed) {
                }
                return [];
            }
            public function __unserialize(array \$data): void
            {
                while (true) {
                }
            }
        }
        \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1]);
        \$cache->set('busy', new Busy());
        Busy::\$armed = true;
        register_shutdown_function(function () use (\$cache) {
            set_time_limit(0);
            echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'];
        });
        set_time_limit(1);
        $call
        echo 'not reached';
        PHP);
    same(['stays;0', 255, 0], [$out->output, $out->code, $out->signal], "$name: the end: $out->errors");
    check(str_contains($out->errors, 'Maximum execution time'), "$name: the message: $out->errors");
    check(eventually(fn () => $server->stats()['peers'] === 1), "$name: the connection is closed");
}

finish();
--EXPECT--
ok
