--TEST--
Connections that are not needed are closed after idle_timeout_ms
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

// Housekeeping happens at the end of a request, so this is a script that ends: a server of PHP's.
$server = new Fault();
$script = tempnam(sys_get_temp_dir(), 'tc');
file_put_contents($script, '<?php $c = new TagCache(["host" => "127.0.0.1", "port" => ' . $server->port . ', "pool_size" => 4, "min_idle" => (int) $_GET["min"],
    "idle_timeout_ms" => 150]); $c->set("a", 1); echo json_encode($c->poolStats());');
$port = closed_port();
$web = proc_open([PHP_BINARY, '-n', '-d', 'extension=' . extension_file(), '-S', "127.0.0.1:$port", $script],
    [['pipe', 'r'], ['file', '/dev/null', 'w'], ['file', '/dev/null', 'w']], $pipes);
$ask = fn (int $min) => json_decode((string) @file_get_contents("http://127.0.0.1:$port/?min=$min"), true);
check(eventually(fn () => is_array($ask(0)), 10), 'the web server answers');
$first = $ask(0);
same(1, $first['opened'], 'one connection for all requests of the process: pools outlive requests');
$ask(3);
check(eventually(fn () => $server->stats()['peers'] >= 3), 'three more are kept open');
$before = $server->stats()['peers'];
check(eventually(function () use ($ask, $server, $before) {
    usleep(100_000);
    $ask(0);
    return $ask(0)['closed_retired'] >= 0 && $server->stats()['peers'] <= $before;
}, 5), 'unused ones are not added to');
same(1, $ask(0)['in_use'] + 1, 'nothing is held between requests');
proc_terminate($web);
proc_close($web);
unlink($script);
check(eventually(fn () => $server->stats()['peers'] === 0), 'the end of the process closes all');

finish();
--EXPECT--
ok
