--TEST--
Buffers that a fatal error left behind are taken back at the end of the request
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

const BIG = 24 << 20;

cache()->set(k('big'), str_repeat('x', BIG), ttl_ms: 60_000);
// One process of PHP's own web server, which goes on after a fatal error.
$script = tempnam(sys_get_temp_dir(), 'tagcache');
file_put_contents($script, '<?php
    if ($_SERVER["REQUEST_URI"] === "/memory") {
        preg_match("/^VmRSS:\s+(\d+)/m", file_get_contents("/proc/self/status"), $found);
        exit($found[1]);
    }
    (new TagCache(' . var_export(address(), true) . '))->get(' . var_export(k('big'), true) . ');
    echo "not reached";');
$probe = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($probe, false);
fclose($probe);
$server = proc_open(
    [PHP_BINARY, '-n', '-d', 'extension=' . extension_file(), '-d', 'memory_limit=16M', '-d', 'log_errors=0', '-S', $address, $script],
    [['pipe', 'r'], ['file', '/dev/null', 'w'], ['file', '/dev/null', 'w']],
    $pipes
);
$ask = fn (string $path): string => (string) @file_get_contents("http://$address$path", false, stream_context_create(['http' => ['ignore_errors' => true]]));
check(eventually(fn () => (int) $ask('/memory') > 0), 'it serves');
for ($n = 0; $n < 2; $n++) {
    $text = $ask('/');
    check(str_contains($text, 'Allowed memory size'), "a fatal error: $text");
}
$before = (int) $ask('/memory');
for ($n = 0; $n < 6; $n++) {
    $ask('/');
}
$grown = (int) $ask('/memory') - $before;
check($before > 0 && $grown < 30_000, "six requests left $grown KB behind");
proc_terminate($server);
proc_close($server);
unlink($script);

finish();
--EXPECT--
ok
