--TEST--
Other fatal errors around calls
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$server->cache()->set('kept', 'stays');
foreach ([
    'a type error' => ['$cache->get([]);', 'TypeError'],
    'a method that does not exist' => ['$cache->nothing();', 'undefined method'],
    'a user error' => ['class E { public function __serialize(): array { trigger_error("fatal", E_USER_ERROR); return []; } } $cache->set("k", new E());', 'fatal'],
    'endless recursion of hooks' => ['ini_set("memory_limit", "32M"); class R { public function __serialize(): array { $GLOBALS["cache"]->set("k", new R()); return []; } }
        $cache->set("k", new R());', ''],
    'a wrong __serialize' => ['class F { public function __serialize() { return 5; } } $cache->set("k", new F());', 'must return an array'],
] as $name => [$call, $message]) {
    $out = run_php('
        $cache = new TagCache(["host" => "127.0.0.1", "port" => ' . $server->port . ', "pool_size" => 1]);
        $cache->get("kept");
        register_shutdown_function(function () use ($cache) {
            ini_set("memory_limit", "256M");
            echo $cache->get("kept"), ";", $cache->poolStats()["in_use"];
        });
        ' . $call . '
        echo "not reached";');
    if ($name === 'endless recursion of hooks' && $out->signal !== 0) {
        // The stack of C is not endless either; PHP 8.2 has no guard against it.
        check(PHP_VERSION_ID < 80300, "$name: signal $out->signal");
    } else {
        same(['stays;0', 255, 0], [$out->output, $out->code, $out->signal], "$name: the end: " . substr($out->errors, 0, 300));
        check(str_contains($out->errors, $message), "$name: the message: " . substr($out->errors, 0, 300));
    }
    check(eventually(fn () => $server->stats()['peers'] === 1), "$name: the connection is closed");
}
same('stays', $server->cache()->get('kept'), 'nothing is lost');

finish();
--EXPECT--
ok
