--TEST--
Pipelines leave no memory behind
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Holder
{
    public mixed $pipeline = null;
    public mixed $future = null;
}

function resident(): int
{
    preg_match('/VmRSS:\s+(\d+)/', file_get_contents('/proc/self/status'), $parts);
    return (int) $parts[1];
}

$cache = cache();
$round = function () use ($cache) {
    $pipeline = $cache->pipeline();
    for ($n = 0; $n < 100; $n++) {
        $pipeline->set(k($n), str_repeat('x', 1000))->get(k($n), [$n])->mGet([k($n), k(0)])->increment(k(0));
    }
    $pipeline->execute();
    // A circle through a default: only the collector can free it.
    $holder = new Holder();
    $holder->pipeline = $cache->pipeline()->get(k('absent'), $holder);
    $holder = new Holder();
    $batch = $cache->batch();
    $holder->future = $batch->get(k('absent'), $holder);
};
resident();
for ($n = 0; $n < 20; $n++) {
    $round();
}
gc_collect_cycles();
[$php, $all] = [memory_get_usage(), resident()];
for ($n = 0; $n < 200; $n++) {
    $round();
}
check(gc_collect_cycles() > 0, 'the circles are found');
// A round makes 400 calls: one value left of each would be megabytes.
check(memory_get_usage() - $php < 65536, 'memory of PHP: ' . (memory_get_usage() - $php) . ' more');
check(resident() - $all < 4096, 'of the process: ' . (resident() - $all) . ' KB more');

finish();
--EXPECT--
ok
