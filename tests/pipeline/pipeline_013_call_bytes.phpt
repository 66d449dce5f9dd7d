--TEST--
A pipeline or batch past max_call_bytes: what was carried out, and what was not sent
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$class = TagCache\ProtocolException::class;
$server = new Fault();
$cache = $server->cache(['max_call_bytes' => 1_000_000, 'timeout_ms' => 20_000]);
$cache->set('large', str_repeat('x', 100_000));
$cache->set('small', 'text');

// All of it was sent: reads that do not fit have an exception, everything else its result.
$server->log();
$pipeline = $cache->pipeline();
for ($n = 0; $n < 15; $n++) {
    $pipeline->get('large')->increment('n');
}
$got = $pipeline->get('small')->has('small')->mGet(['small', 'absent'])->get('absent', 'default')->execute();
for ($n = 0; $n < 15; $n++) {
    same($n + 1, $got[2 * $n + 1], "increment $n");
    if ($n < 9) {
        same(100_000, strlen($got[2 * $n]), "get $n");
    } else {
        same($class, get_debug_type($got[2 * $n]), "get $n does not fit");
    }
}
check(str_contains($got[20]->getMessage(), 'max_call_bytes'), $got[20]->getMessage());
same([$class, true, $class, 'default'], [get_debug_type($got[30]), $got[31], get_debug_type($got[32]), $got[33]], 'no text behind it');
same(15, $cache->get('n'), 'every write, once');

// More than may be out at once: what follows is not sent, and says so.
$server->log();
$pipeline = $cache->pipeline();
for ($n = 0; $n < 3000; $n++) {
    $pipeline->get('large')->set("w$n", $n);
}
$got = $pipeline->execute();
same(6000, count($got), 'a result for each');
$sent = count($commands = preg_grep('/__tc_seal/', $server->commands(), PREG_GREP_INVERT));
check($sent > 18 && $sent < 2060, "$sent commands were sent");
$stored = array_filter($got, fn ($one) => $one === true);
same(count(preg_grep('/^PUT/', $commands)), count($stored), 'writes that were sent are known to be stored');
for ($n = 0; $n < 3000; $n++) {
    same($n < count($stored) ? $n : null, $cache->get("w$n"), "w$n");
}
$last = $got[5999];
same([$class, $last, "127.0.0.1:$server->port"], [get_debug_type($last), $got[$sent], $last->getPeer()], 'one exception for what was not sent');
$next = $sent % 2 === 0 ? 'GET "large"' : 'PUT "w' . intdiv($sent, 2) . '"';
foreach (["$sent of 6000 commands", "from $next on", 'not sent', '1000000', 'max_call_bytes'] as $part) {
    check(str_contains($last->getMessage(), $part), "\"$part\": " . $last->getMessage());
}
check($got[$sent - 2] !== $last && $got[$sent - 1] !== $last, 'what was sent has another');
// The second time it is known how long such replies are.
$server->log();
$got = $cache->pipeline(fn ($p) => array_map(fn ($n) => $p->get('large'), range(1, 3000)));
$sent = count($server->commands());
check($sent < 20, "$sent commands were sent the second time");
same(9, count(array_filter($got, 'is_string')), 'what fits');

// A call that was sent in part.
$pipeline = $cache->pipeline();
$pipeline->mGet(array_fill(0, 30, 'large'));
$pipeline->mSet(['p' => 1, 'q' => 2]);
$got = $pipeline->execute();
same([$class, $class], array_map(get_debug_type(...), $got), 'a bulk that does not fit');
check(preg_match('/of this call, \d+ of 30 commands were sent and answered/', $got[0]->getMessage()) === 1, $got[0]->getMessage());
same($got[1]->getMessage(), explode(' (of this call', $got[0]->getMessage())[0], 'the same reason');
same(null, $cache->get('p'), 'what is behind it was not sent');

// Batches: all connections together.
$big = $server->cache(['max_call_bytes' => 1_000_000, 'timeout_ms' => 20_000, 'pool_size' => 8]);
foreach (range(0, 399) as $n) {
    $big->set("large $n", str_repeat('y', 50_000));
}
$server->log();
$batch = $big->batch();
$futures = array_map(fn ($n) => [$batch->get("large $n"), $batch->set("b$n", $n)], range(0, 399));
same(true, $batch->wait(), 'settled');
$held = $stored = 0;
foreach ($futures as $n => [$read, $written]) {
    [$value] = timed(fn () => $read->value());
    [$done] = timed(fn () => $written->value());
    check(is_string($value) || $value instanceof $class, "future $n: " . show($value));
    check($done === true || $done instanceof $class, "write $n: " . show($done));
    $held += is_string($value) ? strlen($value) : 0;
    $stored += $done === true ? 1 : 0;
}
check($held > 500_000 && $held <= 1_000_000, "$held bytes were held");
same($stored, count(preg_grep('/^PUT/', $server->commands())), 'writes that were sent are known to be stored');

same(0, $cache->poolStats()['closed_broken'] + $big->poolStats()['closed_broken'], 'no connection was lost');
at_full_capacity($cache, 'afterwards');

finish();
--EXPECT--
ok
