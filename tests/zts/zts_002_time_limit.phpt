--TEST--
PHP's own time limit acts when a stalled call returns, which its deadline bounds
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$server->cache()->set('kept', 'stays');
$server->rule('stall:reply=*,verb=DEL');
$out = run_php(<<<PHP
    \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1, 'timeout_ms' => 1500]);
    \$cache->get('kept');
    register_shutdown_function(function () use (\$cache) {
        set_time_limit(0);
        echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'];
    });
    set_time_limit(1);
    \$start = hrtime(true);
    try {
        \$cache->delete('k');
        echo 'not reached';
    } catch (TagCache\TimeoutException) {
        echo 'deadline;';
    } finally {
        echo 'ms=', intdiv(hrtime(true) - \$start, 1_000_000), ';';
    }
    while (true) {
    }
    PHP, [], ['max_execution_time' => 0, 'hard_timeout' => 0]);
check(str_contains($out->errors, 'Maximum execution time of 1 second'), "the limit acts in the end: $out->errors");
same([255, 0], [$out->code, $out->signal], 'and ends the script');
check(str_ends_with($out->output, 'stays;0'), "the shutdown function can use the cache: $out->output");
check($out->ms < 6000, "it took $out->ms ms");
if (PHP_ZTS) {
    // The clock on the wall: the limit has passed when the call returns.
    check($out->ms < 1500 + 1000, "ZTS counts the time of the call: $out->ms ms");
} else {
    // The clock of the processor: time in a call does not count.
    check(str_contains($out->output, 'deadline;'), "NTS does not count it: $out->output");
    preg_match('/ms=(\d+)/', $out->output, $parts);
    check(abs(($parts[1] ?? 0) - 1500) < 100, "the deadline held: $out->output");
}
check(eventually(fn () => $server->stats()['peers'] === 1), 'the connection is closed');

finish();
--EXPECT--
ok
