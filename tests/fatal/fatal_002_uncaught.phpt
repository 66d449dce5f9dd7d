--TEST--
An uncaught exception in a call or a hook ends the script as any other
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$keep = $server->cache();
$keep->set('kept', 'stays');
foreach ([
    'a timeout' => ['stall:reply=*,verb=DEL', '$cache->delete("k");', 'TagCache\TimeoutException'],
    'garbage' => ['replace:reply=*,verb=DEL,text=x\n', '$cache->delete("k");', 'TagCache\ProtocolException'],
    'a close' => ['close:reply=*,verb=DEL,byte=2', '$cache->delete("k");', 'TagCache\ConnectionException'],
    'a hook' => ['delay:ms=0', 'class Thrower { public function __serialize(): array { throw new LogicException("mine"); } } $cache->set("k", new Thrower());', 'LogicException'],
    'an argument' => ['delay:ms=0', '$cache->set("", 1);', 'TagCache\InvalidArgumentException'],
] as $what => [$rule, $call, $class]) {
    $server->rule($rule);
    $out = run_php(<<<PHP
        \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1, 'timeout_ms' => 100]);
        register_shutdown_function(function () use (\$cache) {
            echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'];
        });
        $call
        echo 'not reached';
        PHP);
    same(['stays;0', 255, 0], [$out->output, $out->code, $out->signal], "$what: the end");
    check(str_contains($out->errors, "Uncaught $class"), "$what: the message: $out->errors");
    $server->clear();
    check(eventually(fn () => $server->stats()['peers'] === 1), "$what: the connection is closed");
}
same('stays', $keep->get('kept'), 'another process is not affected');

finish();
--EXPECT--
ok
