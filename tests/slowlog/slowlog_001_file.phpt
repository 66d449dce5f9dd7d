--TEST--
The slow log has one line for each slow call, and nobody else's
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault(['delay:ms=60,verb=GET']);
$file = tempnam(sys_get_temp_dir(), 'tc');
$ini = ['tagcache.slow_log_ms' => 50, 'tagcache.slow_log' => $file, 'tagcache.host' => '127.0.0.1', 'tagcache.port' => $server->port];
$run = function (string $code, array $more = []) use ($ini, $file): array {
    file_put_contents($file, '');
    $outcome = run_php('$cache = new TagCache;' . $code, [], $more + $ini);
    same('', $outcome->output . $outcome->errors, 'the script says nothing');
    clearstatcache();
    return file($file, FILE_IGNORE_NEW_LINES);
};
$lines = $run('$cache->set("fast", 1); $cache->get("slow"); $cache->delete("fast");');
same(1, count($lines), 'one call of three was slow: ' . show($lines));
check(preg_match('/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z pid=\d+ slow call: command=GET key="slow" commands=1 total_ms=([\d.]+) wait_ms=([\d.]+) '
    . 'wire_ms=([\d.]+) server="127\.0\.0\.1:' . $server->port . '" pool_size=8 in_use=0 idle=1 waiters=0$/', $lines[0] ?? '', $parts) === 1, show($lines));
check(abs(strtotime(substr($lines[0] ?? '', 0, 19) . 'Z') - time()) < 60, 'the time');
check(($parts[1] ?? 0) >= 60 && $parts[2] < 50 && abs($parts[1] - $parts[2] - $parts[3]) < 0.01, 'the times add up');

// A key can neither begin a line nor end its quotes.
$server->clear();
$server->rule('delay:ms=60');
$odd = "a\"b\\c \u{202e}\u{2028}\u{1b}[31m ä";
$lines = $run('$cache->get(' . var_export($odd, true) . ');');
same(1, count($lines), 'one line');
check(str_contains($lines[0] ?? '', 'key="a\"b\\\\c \u{202e}\u{2028}\u{1b}[31m ä" '), show($lines));
$lines = $run('$cache->get(str_repeat("k", 5000));');
check(str_contains($lines[0] ?? '', 'key="' . str_repeat('k', 200) . '..." '), 'a long key is cut');
$lines = $run('$cache->mGet(["a", "b", "c"]);');
check(preg_match('/command=GET key="a" commands=3 /', $lines[0] ?? '') === 1, 'of many the first is named, and their number');
$lines = $run('$cache->flush();');
check(str_contains($lines[0] ?? '', 'command=FLUSH key="" '), 'one without a key');

// What the server refuses is in it with what it said.
$lines = $run('$cache->set("text", "x"); try { $cache->increment("text"); } catch (TagCache\ServerException) { }');
check(preg_match('/command=INCR key="text" .* error="the server refused 1 of 1 command\(s\): value is not an integer"$/', $lines[1] ?? '') === 1, 'a refusal: ' . show($lines));
check(!str_contains($lines[0] ?? 'error', 'error'), 'none where nothing was refused');
$lines = $run('$cache->pipeline()->get("text")->increment("text")->decrement("text")->execute();');
check(preg_match('/command=GET key="text" commands=3 .* error="the server refused 2 of 3 command\(s\): value is not an integer"$/', $lines[0] ?? '') === 1, 'of a pipeline: ' . show($lines));

// One that fails is in it too, with its error.
$server->clear();
$server->rule('stall:reply=0');
$lines = $run('try { $cache->get("k"); } catch (TagCache\TimeoutException) { }', ['tagcache.timeout_ms' => 80]);
check(preg_match('/command=GET key="k" .* error="[^"]+80 ms/', $lines[0] ?? '') === 1, 'a timeout: ' . show($lines));

// Off, and not for scripts to change.
$server->clear();
$server->rule('delay:ms=60');
same([], $run('$cache->get("slow");', ['tagcache.slow_log_ms' => 0]), 'off');
same(false, @ini_set('tagcache.slow_log', '/tmp/mine'), 'not for scripts');
unlink($file);

finish();
--EXPECT--
ok
