--TEST--
doctor() says what is wrong and what to do
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$run = function (string $code, array $ini = []): array {
    ['host' => $host, 'port' => $port] = address();
    $outcome = run_php($code . ' echo json_encode(TagCache::doctor());', [], $ini + ['tagcache.host' => $host, 'tagcache.port' => $port]);
    $report = json_decode($outcome->output, true);
    check(is_array($report), "a report: $outcome->output $outcome->errors");
    return $report + ['stderr' => $outcome->errors, 'text' => implode("\n", array_map(fn ($one) => "$one[level]: $one[what]", $report['findings'] ?? []))];
};

$well = $run('(new TagCache)->has("a");');
same([true, '', []], [$well['ok'], $well['text'], $well['errors']], 'nothing is wrong');
same([TagCache::VERSION, (bool) PHP_ZTS], [$well['version'], $well['thread_safe']], 'who it is');
same(1, count($well['pools']), 'the pool');
check($well['pools'][0]['answer_ms'] > 0, 'the server answers');
same(17, count($well['pools'][0]['round_trip_buckets']), 'a histogram');
same(1, array_sum(array_column($well['pools'][0]['round_trip_buckets'], 'count')), 'of the one call');
same(['le_us' => null, 'count' => 0], end($well['pools'][0]['round_trip_buckets']), 'the last bucket is open');

same(1, $well['pools'][0]['check_outs'], 'doctor() does not count as a call');
same(1, $well['pools'][0]['opened'], 'nor as a connection');
$unused = $run('');
same([true, 1, 0], [$unused['ok'], count($unused['pools']), $unused['pools'][0]['opened']], 'without a pool the server of the settings is asked');
check($unused['pools'][0]['answer_ms'] > 0, 'and answers');
same(['', '0'], (fn ($outcome) => [$outcome->errors, $outcome->output])(run_php(
    'TagCache::doctor(); preg_match("/^tagcache_pools (\d+)/m", TagCache::metrics(), $m); echo $m[1];',
    [],
    ['tagcache.host' => address()['host'], 'tagcache.port' => address()['port']],
)), 'which makes no pool');

// A handle that has sent nothing leads somewhere else than the settings: that is what is asked, also in a forked child.
['host' => $host, 'port' => $port] = address();
$elsewhere = ['tagcache.port' => closed_port()];
$make = "\$cache = new TagCache('tagcache://$host:$port'); \$gone = new TagCache('tagcache://127.0.0.1:1'); \$gone = null;";
foreach (['' => 'a handle that has sent nothing', 'if (pcntl_fork() > 0) { pcntl_wait($status); exit; }' => 'in a child'] as $then => $what) {
    $made = $run("$make $then", $elsewhere);
    same([true, '', 1], [$made['ok'], $made['text'], count($made['pools'])], $what);
    same(["$host:$port", 0], [$made['pools'][0]['endpoint'], $made['pools'][0]['check_outs']], "$what: its server");
    check($made['pools'][0]['answer_ms'] > 0, "$what: answers");
}
$closed = $run("$make \$cache->close();", $elsewhere);
same(false, $closed['ok'], 'a handle that is closed leads nowhere');
// However many servers there are, those of the handles that are there are asked.
$many = $run("\$cache = new TagCache('tagcache://$host:$port'); foreach (range(1, 12) as \$n) { (new TagCache(\"unix:///\$n\"))->poolStats(); }");
same(["$host:$port", true], [$many['pools'][0]['endpoint'], $many['pools'][0]['answer_ms'] > 0], 'the handle comes first');

$began = microtime(true);
$ill = $run('for ($n = 0; $n < 3; $n++) { try { (new TagCache)->get("a"); } catch (TagCache\ConnectionException) { } }', ['tagcache.port' => closed_port()]);
same(false, $ill['ok'], 'nobody listens');
check(preg_match('/^error: .*refused/m', $ill['text']) === 1, "said so: $ill[text]");
check(str_contains($ill['text'], 'connecting failed'), 'and that connecting failed');
same(1, count($ill['errors']), 'the same error is listed once');
same(3, $ill['errors'][0]['times'], 'with how often it came');
check(abs($ill['errors'][0]['at'] - time()) < 60, 'and when');
check($ill['errors'][0]['since'] >= $began - 0.01 && $ill['errors'][0]['since'] <= $ill['errors'][0]['at'], 'since when');
foreach (['refused' => 'error', 'connecting failed once within the last minute' => 'warning', 'failed within the last minute: 3' => 'warning',
    '2 calls did not try' => 'warning'] as $what => $level) {
    [$finding] = array_values(array_filter($ill['findings'], fn ($one) => str_contains($one['what'], $what)));
    same($level, $finding['level'], "$what: level");
    check($finding['since'] >= $began - 0.01 && $finding['since'] <= microtime(true), "$what: since when: " . show($finding['since']));
}
$batch = $run('$batch = (new TagCache)->batch(); $batch->get("a"); try { $batch->send(); } catch (TagCache\ConnectionException) { }', ['tagcache.port' => closed_port()]);
same(1, $batch['errors'][0]['times'] ?? 0, 'a batch that could not be sent is among the errors');
// Back again: the breaker is told apart from the server.
$port = closed_port();
$cache = new TagCache(['port' => $port, 'connect_backoff_ms' => 60_000]);
for ($n = 0; $n < 3; $n++) {
    throws(TagCache\ConnectionException::class, fn () => $cache->get('a'), 'away');
}
$server = new Fault([], $port);
$back = TagCache::doctor();
$texts = array_map(fn ($one) => "$one[level]: $one[what]", $back['findings']);
check(preg_grep('/^warning: .* answers, but .*refused/', $texts) !== [] && preg_grep('/^error/', $texts) === [], 'an open breaker: ' . show($texts));
same(false, $back['ok'], 'and the calls of the last minute count');
same(null, $ill['pools'][0]['answer_ms'], 'no answer');
same([1, 2], [$ill['pools'][0]['connect_failures'], $ill['pools'][0]['connects_skipped']], 'doctor() itself does not count among the failures');
$advice_on = fn (array $report, string $what): string => implode(' ', array_column(array_filter($report['findings'], fn ($one) => str_contains($one['what'], $what)), 'advice'));
check(str_contains($advice_on($ill, 'refused'), '1984'), 'advice on the port');
$lost = $run('try { (new TagCache)->get("a"); } catch (TagCache\ConnectionException) { }', ['tagcache.host' => 'no-such-host.invalid', 'tagcache.timeout_ms' => 3000]);
check(!str_contains($advice_on($lost, 'cannot look up'), 'port') && str_contains($advice_on($lost, 'cannot look up'), 'name'), 'a look-up has nothing to do with ports: ' . show($lost['findings']));
$lost = $run('', ['tagcache.path' => '/nowhere/at/all.sock']);
check(!str_contains($advice_on($lost, '/nowhere'), 'port') && str_contains($advice_on($lost, '/nowhere'), 'socket'), 'nor has a Unix socket: ' . show($lost['findings']));

// Several that say nothing are asked at the same time.
$silent = array_map(fn () => stream_socket_server('tcp://127.0.0.1:0'), range(1, 4));
$hosts = json_encode(array_map(fn ($one) => stream_socket_get_name($one, false), $silent));
$slow = $run("foreach (json_decode('$hosts') as \$at) { (new TagCache(\"tagcache://\$at\"))->poolStats(); } \$began = hrtime(true); TagCache::doctor(); file_put_contents('php://stderr', (string) (hrtime(true) - \$began));");
same(4, count($slow['pools']), 'four silent servers');
same(4, substr_count($slow['text'], 'timed out'), 'each is told');
check($slow['stderr'] > 0.9e9 && $slow['stderr'] < 2.5e9, "in one second: $slow[stderr] ns");
check(!str_contains($advice_on($slow, 'timed out'), '1984'), 'advice on silence');

foreach ([
    'an INI setting out of range' => ['', ['tagcache.pool_size' => 5000], 'error: .*tagcache.pool_size.*1 to 1024'],
    'a time limit that is too long' => ['', ['max_execution_time' => 3, 'tagcache.timeout_ms' => 5000], 'warning: .*timeout_ms \(5000\).*\(3 s\)'],
    'a slow log that cannot be written' => ['', ['tagcache.slow_log' => '/nowhere/at/all', 'tagcache.slow_log_ms' => 5], 'error: .*/nowhere/at/all'],
    'a slow log without a limit' => ['', ['tagcache.slow_log' => '/dev/null'], 'advice: .*slow_log_ms is 0'],
    'two pools to one server' => ['$a = cache(["pool_size" => 2]); $b = cache(["pool_size" => 3]); $a->has("x"); $b->has("x");', [], 'advice: .*2 pools'],
    'many pools' => ['foreach (range(1, 8) as $n) { cache(["pool_size" => $n])->has("x"); }', ['tagcache.max_pools' => 10], 'warning: 8 of 10 pools'],
] as $what => [$code, $ini, $pattern]) {
    $report = $run($code, $ini);
    check(preg_match("#^$pattern#m", $report['text']) === 1, "$what: " . show($report['text']));
    foreach ($report['findings'] as $finding) {
        check(strlen($finding['advice']) > 10, "$what: advice");
    }
    same(!str_contains($report['text'], 'error: ') && !str_contains($report['text'], 'warning: '), $report['ok'], "$what: ok");
}

finish();
--EXPECT--
ok
