--TEST--
A fatal error with an open batch leaks no connection
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault(['delay:ms=300,verb=GET']);
$server->cache()->mSet(['k' => 1, 'big' => str_repeat('x', 30 << 20)]);
TagCache::drain();
$begin = <<<'PHP'
    $cache = new TagCache(['host' => '127.0.0.1', 'port' => (int) $argv[1], 'pool_size' => 2, 'timeout_ms' => 3000]);
    $batch = $cache->batch();
    $future = $batch->get('k');
    $big = $batch->get('big');
    $batch->send();
    register_shutdown_function(function () use ($cache, $batch, $future) {
        echo $cache->poolStats()['in_use'], ';', $future->value(), ';', $cache->get('k'), ';', $cache->poolStats()['in_use'], ';';
        // And one that stays open until PHP frees its objects.
        $GLOBALS['another'] = $cache->batch();
        $GLOBALS['another']->get('k');
        $GLOBALS['another']->send();
    });
    PHP;
foreach ([
    'memory_limit' => ['$text = str_repeat("x", 200 << 20);', 'Allowed memory size'],
    'memory_limit in value()' => ['ini_set("memory_limit", memory_get_usage() + (8 << 20)); $big->value();', 'Allowed memory size'],
    'an uncaught exception' => ['throw new Exception("done");', 'Uncaught Exception: done'],
    'a compile error' => ['eval("class A { function a() {} function a() {} }");', 'Cannot redeclare'],
    'exit' => ['exit(1);', ''],
] as $what => [$end, $message]) {
    $out = run_php("$begin\n$end\necho 'not reached';", [$server->port], ['memory_limit' => '64M', 'html_errors' => '0']);
    check(preg_match('/^[01];1;1;0;$/', $out->output) === 1, "$what: shutdown function: $out->output");
    check($message === '' || str_contains($out->errors, $message), "$what: " . $out->errors);
    check(!str_contains($out->errors, 'BUG') && !str_contains($out->errors, 'internal error'), "$what: $out->errors");
    same(0, $out->signal, "$what: signal");
    check(eventually(fn () => $server->stats()['peers'] === 0), "$what: all connections are gone");
}

// Two requests of one process: the second has the whole pool.
$page = sys_get_temp_dir() . '/tc-' . bin2hex(random_bytes(6)) . '.php';
file_put_contents($page, <<<'PHP'
    <?php
    $cache = new TagCache(['host' => '127.0.0.1', 'port' => (int) $_GET['port'], 'pool_size' => 2, 'timeout_ms' => 3000]);
    if (isset($_GET['die'])) {
        $GLOBALS['batch'] = $cache->batch();
        $GLOBALS['batch']->get('k');
        $GLOBALS['batch']->send();
        echo $cache->poolStats()['in_use'], ';';
        ini_set('memory_limit', '8M');
        str_repeat('x', 200 << 20);
    }
    $stats = $cache->poolStats();
    echo json_encode([$stats['in_use'], $cache->get('k'), getmypid(), $stats['check_outs'] > 0]);
    PHP);
$port = closed_port();
$log = tmpfile();
$process = proc_open(
    [PHP_BINARY, '-n', '-d', 'extension=' . extension_file(), '-S', "127.0.0.1:$port", $page],
    [['file', '/dev/null', 'r'], $log, $log],
    $pipes,
    null,
    array_diff_key(getenv(), ['PHP_CLI_SERVER_WORKERS' => 1])
);
$context = stream_context_create(['http' => ['ignore_errors' => true, 'timeout' => 10]]);
$get = fn (string $query) => @file_get_contents("http://127.0.0.1:$port/?port=$server->port$query", false, $context);
check(eventually(fn () => is_string($get('')), 5), 'the web server starts');
$pid = json_decode($get(''))[2];
for ($n = 0; $n < 4; $n++) {
    $body = (string) $get('&die=1');
    check(str_starts_with($body, '1;') && str_contains($body, 'Allowed memory size'), "request $n dies with a connection out: $body");
    same([0, 1, $pid, true], json_decode((string) $get('')), "request $n: the next one has the whole pool");
}
proc_terminate($process);
proc_close($process);
unlink($page);
rewind($log);
$text = stream_get_contents($log);
check(!str_contains($text, 'BUG'), "nothing was left behind: $text");

finish();
--EXPECT--
ok
