--TEST--
A pipeline uses no connection before execute(), and one in it
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 4]);
$pipeline = $cache->pipeline();
for ($n = 0; $n < 500; $n++) {
    $pipeline->set("k$n", $n)->get("k$n");
}
same([0, 0], [$cache->poolStats()['opened'], $cache->poolStats()['check_outs']], 'nothing yet');
$got = $pipeline->execute();
same(1000, count($got), 'results');
same([true, 0, true, 1], array_slice($got, 0, 4), 'in order');
same([true, 499], array_slice($got, -2), 'to the end');
same([1, 1, 0], [$cache->poolStats()['opened'], $cache->poolStats()['check_outs'], $cache->poolStats()['in_use']], 'one connection, once');
same(1000, count(preg_grep('/^(PUT|GET)\tk/', $server->commands())), 'commands');

// Dropped, discarded: no trace.
$cache->pipeline()->set('dropped', 1);
$other = $cache->pipeline()->set('dropped', 1);
unset($other);
same([true], $pipeline->set('dropped', 1)->discard()->set('kept', 1)->execute(), 'discard() and on');
same(["PUT\tkept\t-\t-\t1"], $server->commands(), 'the dropped ones were not sent');

// Again and again.
foreach ([1, 2, 3] as $n) {
    same([$n], $pipeline->increment('again')->execute(), "use $n");
}
at_full_capacity($cache, 'afterwards');

finish();
--EXPECT--
ok
