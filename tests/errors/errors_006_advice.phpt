--TEST--
The advice in a message belongs to the error: the server is asked for only where it may be away
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$told = function (callable $call): string {
    [$outcome] = timed($call);
    return $outcome instanceof TagCache\ConnectionException ? $outcome->getMessage() : show($outcome);
};

$port = closed_port();
$text = $told(fn () => (new TagCache(['port' => $port]))->get('a'));
check(str_contains($text, 'is the server running') && str_contains($text, '(1984)'), "nobody listens: $text");

$path = socket_path();
$text = $told(fn () => (new TagCache("unix://$path?connect_backoff_ms=0"))->get('a'));
check(str_contains($text, 'no such socket'), "no socket: $text");
$left = stream_socket_server("unix://$path");
fclose($left);
$text = $told(fn () => (new TagCache("unix://$path?connect_backoff_ms=0"))->get('a'));
check(str_contains($text, 'nobody listens'), "a socket that was left behind: $text");
unlink($path);

$hole = new Fault(['blackhole']);
$text = $told(fn () => $hole->cache(['timeout_ms' => 60])->get('a'));
check(str_contains($text, 'overloaded') && str_contains($text, 'firewall'), "no answer to connecting: $text");

// A process that has no descriptor left: nothing is wrong with the server.
$short = function (string $code): string {
    ['host' => $host, 'port' => $port] = address();
    $outcome = run_php(
        'exec("prlimit --pid " . getmypid() . " --nofile=64:64", result_code: $code); check($code === 0, "prlimit");'
        . '$open = []; $fill = function () use (&$open) { while ($one = @fopen("/dev/null", "r")) { $open[] = $one; } };'
        . "try { $code } catch (TagCache\\Exception \$thrown) { echo \$thrown->getMessage(); }",
        [],
        ['tagcache.host' => $host, 'tagcache.port' => $port]
    );
    return "$outcome->output $outcome->errors";
};
foreach ([
    'a call' => '$cache = cache(); $fill(); $cache->get("a");',
    'a batch' => '$cache = cache(); $cache->get("a"); $batch = $cache->batch(); $batch->get("a"); $fill(); $batch->send();',
    'a stream' => '$batch = cache()->batch(); $batch->get("a"); $batch->send(); $fill(); $batch->stream();',
    'a look-up' => '$cache = new TagCache("tagcache://localhost"); $fill(); $cache->get("a");',
] as $what => $code) {
    $text = $short($code);
    check(str_contains($text, 'Too many open files'), "$what: $text");
    check(str_contains($text, 'ulimit -n'), "$what: $text");
    check(!str_contains($text, 'server running') && !str_contains($text, 'waiting for a reply'), "$what: $text");
}
$report = $short('$cache = cache(); $fill(); foreach (TagCache::doctor()["findings"] as $one) { echo "$one[level]: $one[what] -> $one[advice]\n"; }');
check(preg_match('/^error: .*Too many open files \(os error 24\) -> this process .*ulimit -n/m', $report) === 1, "doctor(): $report");
check(substr_count($report, 'ulimit') === 1, "once: $report");

finish();
--EXPECT--
ok
