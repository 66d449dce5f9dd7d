--TEST--
Pools outlive requests, and one that nobody uses is closed after idle_timeout_ms
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

// Housekeeping happens when a request ends, so this takes a process that serves several.
$server = new Fault();
$script = tempnam(sys_get_temp_dir(), 'tc');
file_put_contents($script, '<?php $cache = new TagCache(["host" => "127.0.0.1", "port" => ' . $server->port . ',
    "pool_size" => (int) $_GET["size"], "idle_timeout_ms" => 200]); $cache->set("a", 1); $stats = $cache->poolStats();
    if (isset($_GET["close"])) { $cache->close(); } echo json_encode($stats);');
$port = closed_port();
$web = proc_open([PHP_BINARY, '-n', '-d', 'extension=' . extension_file(), '-S', "127.0.0.1:$port", $script],
    [['pipe', 'r'], ['file', '/dev/null', 'w'], ['file', '/dev/null', 'w']], $pipes);
$ask = fn (string $query) => json_decode((string) @file_get_contents("http://127.0.0.1:$port/?$query"), true);
check(eventually(fn () => is_array($ask('size=3')), 10), 'the web server answers');
for ($n = 0; $n < 10; $n++) {
    $got = $ask($n % 2 ? 'size=3' : 'size=3&close');
    same([1, 0], [$got['opened'], $got['in_use']], 'one connection for all requests, whether the handle is closed or not');
}
same(1, $server->stats()['peers_total'], 'the server saw one peer');
$ask('size=5');
same(2, $server->stats()['peers'], 'another pool');
$gone = eventually(function () use ($ask, $server) {
    usleep(50_000);
    $ask('size=5');
    return $server->stats()['peers'] === 1;
}, 5);
check($gone, 'the pool that nobody uses any more is closed');
same(1, $ask('size=5')['opened'], 'the other one kept its connection');
same(1, $ask('size=3')['in_use'] + 1, 'the closed one can be used again');
proc_terminate($web);
proc_close($web);
unlink($script);
check(eventually(fn () => $server->stats()['peers'] === 0), 'the end of the process closes all');

finish();
--EXPECT--
ok
