--TEST--
exit in __serialize and __unserialize: the script ends, shutdown functions may use the cache
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
foreach ([
    'set' => '$cache->set("k", new Leaver());', 'add' => '$cache->add("k", new Leaver());', 'mSet' => '$cache->mSet(["a" => 1, "b" => new Leaver(), "c" => 2]);',
    'tagcache_put' => 'tagcache_put($cache, "k", [new Leaver()]);', 'get' => '$cache->get("leaver");', 'mGet' => '$cache->mGet(["kept", "leaver", "kept"]);',
    'tagcache_get' => 'tagcache_get($cache, "leaver");',
] as $name => $call) {
    $server->cache()->set('kept', 'stays');
    $server->cache()->delete('k');
    $server->cache()->set('leaver', unserialize('O:8:"stdClass":0:{}'));
    $out = run_php(<<<PHP
        class Leaver
        {
            public static bool \$armed = false;
            public function __serialize(): array
            {
                if (self::\$armed) {
                    echo "leaving;";
                    exit(7);
                }
                return [1];
            }
            public function __unserialize(array \$data): void
            {
                echo "leaving;";
                exit(7);
            }
        }
        \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1]);
        \$cache->set('leaver', new Leaver());
        Leaver::\$armed = true;
        register_shutdown_function(function () use (\$cache) {
            echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'], ';', \$cache->increment('ran');
        });
        $call
        echo 'not reached';
        PHP);
    static $ran = 0;
    $ran++;
    same(["leaving;stays;0;$ran", '', 7, 0], [$out->output, $out->errors, $out->code, $out->signal], "exit in $name");
    same(false, $server->cache()->has('k'), "exit in $name: nothing was written");
    check(eventually(fn () => $server->stats()['peers'] === 1), "exit in $name: the connection is closed");
}

finish();
--EXPECT--
ok
