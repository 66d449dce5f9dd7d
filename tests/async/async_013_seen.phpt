--TEST--
What becomes of a batch is seen by doctor(), the slow log and the figures, as that of any call
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$file = tempnam(sys_get_temp_dir(), 'tc');
$ini = ['tagcache.slow_log_ms' => 50, 'tagcache.slow_log' => $file, 'tagcache.host' => '127.0.0.1', 'tagcache.port' => $server->port];
$seen = function (string $code, array $more = []) use ($ini, $file): array {
    file_put_contents($file, '');
    $code = '$cache = new TagCache; $batch = $cache->batch();' . $code
        . ';echo json_encode(["errors" => TagCache::doctor()["errors"], "trips" => $cache->poolStats()["round_trip_us"]["count"], "idle" => $cache->poolStats()["idle"]]);';
    $outcome = run_php($code, [], $more + $ini);
    same('', $outcome->errors, 'the script says nothing');
    $report = json_decode($outcome->output, true);
    check(is_array($report), "a report: $outcome->output");
    clearstatcache();
    return $report + ['lines' => file($file, FILE_IGNORE_NEW_LINES)];
};
$lost = fn (string $code) => "try { $code } catch (TagCache\\Exception) { }";

$well = $seen('$a = $batch->get("a"); $batch->set("b", 1); $batch->wait(); $a->value();');
same([[], [], 1], [$well['errors'], $well['lines'], $well['trips']], 'one that goes well is one round trip');
same(0, $seen('$batch->wait();')['trips'], 'one without commands is none');

// It fails: one error, however many connections and futures it had.
$server->rule('stall:reply=0');
$many = 'for ($n = 0; $n < 200; $n++) { $all[] = $batch->get("k$n"); }';
$short = ['tagcache.timeout_ms' => 80];
foreach (['$batch->wait();' => 'wait()', '$all[3]->value();' => 'value()', 'usleep(100000); $all[3]->ready();' => 'ready()',
    '$batch->send(); $batch->wait(0.01); usleep(100000); unset($all); $batch->wait(0); $batch = null;' => 'a late look'] as $code => $how) {
    $ill = $seen($many . '$batch->send();' . $lost($code) . $lost('isset($all) && $all[5]->value();'), $short);
    same(1, $ill['errors'][0]['times'] ?? 0, "$how: it is the last error: " . show($ill['errors']));
    check(str_contains($ill['errors'][0]['message'] ?? '', '80 ms'), "$how: which is that of the exception: " . show($ill['errors']));
    same([1, 1], [count($ill['errors']), $ill['trips']], "$how: it is one call");
}
$ill = $seen($many . $lost('$batch->wait();'), $short);
check(preg_match('/slow call: command=GET key="k0" commands=200 total_ms=(\d+)\S* .* error="[^"]*80 ms/', $ill['lines'][0] ?? '', $parts) === 1
    && $parts[1] >= 75, 'it is in the slow log with its error: ' . show($ill['lines']));
same(1, count($ill['lines']), 'once');

// Of a call that drove it, and of a batch that is gone before anybody looked.
$server->clear();
$server->rule('close:reply=0');
$ill = $seen('$batch->get("a"); $batch->send();' . $lost('$cache->get("b");') . 'unset($batch);', ['tagcache.pool_size' => 1]);
same([1, 2], [count($ill['errors']), $ill['errors'][0]['times'] ?? 0], 'one that another call has driven: ' . show($ill['errors']));

// What counts is the time that PHP spent on it, as nobody waits while PHP works on.
$server->clear();
$server->rule('delay:ms=60,verb=GET');
$slow = $seen('$a = $batch->get("slow"); $batch->get("other"); $batch->wait();');
check(preg_match('/^20\S+ pid=\d+ slow call: command=GET key="slow" commands=2 total_ms=([\d.]+) wait_ms=([\d.]+) wire_ms=([\d.]+) server="127\.0\.0\.1:'
    . $server->port . '" pool_size=8 /', $slow['lines'][0] ?? '', $parts) === 1, 'a slow one: ' . show($slow['lines']));
check(($parts[1] ?? 0) >= 50 && $parts[2] < 50 && abs($parts[1] - $parts[2] - $parts[3]) < 0.01, 'the times add up');
same([[], 1], [$slow['errors'], count($slow['lines'])], 'once, and it is no error');
$busy = $seen('$a = $batch->get("slow"); $batch->send(); usleep(150000); $a->value();');
same([[], 1], [$busy['lines'], $busy['trips']], 'PHP worked on meanwhile');
$server->clear();
$server->rule('delay:ms=60,verb=INCR');
$cache = $server->cache();
$cache->set('text', 'x');
$refused = $seen('$batch->get("a"); ' . '$n = $batch->increment("text"); $batch->wait();');
check(preg_match('/commands=2 .* error="the server refused 1 of 2 command\(s\): value is not an integer"$/', $refused['lines'][0] ?? '') === 1,
    'what the server refused: ' . show($refused['lines']));
$server->rule('delay:ms=400,verb=INCR');
$held = $seen('$other = $cache->batch(); $other->increment("n"); $other->send(); $batch->get("a");' . $lost('$batch->send();'),
    ['tagcache.pool_size' => 1, 'tagcache.acquire_timeout_ms' => 60]);
check(preg_match('/command=GET key="a" commands=1 total_ms=([\d.]+) wait_ms=\1 wire_ms=0\.000 .* error="/', $held['lines'][0] ?? '') === 1,
    'one that could not be sent: ' . show($held['lines']));
same([1, 1, 1], [count($held['lines']), count($held['errors']), $held['errors'][0]['times'] ?? 0], 'once');

// It warms the pool up like any first call.
$server->clear();
same(3, $seen('$batch->get("a"); $batch->wait();', ['tagcache.min_idle' => 3])['idle'], 'min_idle');

// To PHP's error log, where nothing is borrowed.
$server->rule('delay:ms=60,verb=GET');
$outcome = run_php('$batch = (new TagCache)->batch(); $batch->get("k"); $batch->wait();', [], ['tagcache.slow_log' => '', 'log_errors' => 1, 'error_log' => $file] + $ini);
check(str_contains(file_get_contents($file), 'tagcache: slow call: command=GET key="k"'), "the error log: $outcome->errors");
unlink($file);

finish();
--EXPECT--
ok
