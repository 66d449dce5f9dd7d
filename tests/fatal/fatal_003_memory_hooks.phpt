--TEST--
memory_limit hit within __serialize and __unserialize
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$server->cache()->set('kept', 'stays');
foreach ([
    'set' => '$cache->set("k", new Hog());', 'mSet' => '$cache->mSet(["a" => 1, "b" => new Hog()]);', 'tagcache_put' => 'tagcache_put($cache, "k", new Hog());',
    'get' => '$cache->get("hog");', 'mGet' => '$cache->mGet(["kept", "hog"]);',
] as $name => $call) {
    $out = run_php(<<<PHP
        class Hog
        {
            public static bool \$armed = false;
            public function __serialize(): array
            {
                return self::\$armed ? [str_repeat('x', 100_000_000)] : [1];
            }
            public function __unserialize(array \$data): void
            {
                str_repeat('x', 100_000_000);
            }
        }
        \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1]);
        \$cache->set('hog', new Hog());
        Hog::\$armed = true;
        register_shutdown_function(function () use (\$cache) {
            ini_set('memory_limit', '64M');
            echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'], ';', \$cache->set('after', [1]) ? 'set' : '';
        });
        $call
        echo 'not reached';
        PHP, [], ['memory_limit' => '16M']);
    same(['stays;0;set', 255, 0], [$out->output, $out->code, $out->signal], "$name: the end: $out->errors");
    check(str_contains($out->errors, 'Allowed memory size'), "$name: the message: $out->errors");
    check(eventually(fn () => $server->stats()['peers'] === 1), "$name: the connection is closed");
}

finish();
--EXPECT--
ok
