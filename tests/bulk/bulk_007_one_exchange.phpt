--TEST--
A bulk is one exchange on one connection
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 8]);
$items = array_fill_keys(array_map(fn ($n) => "key $n", range(0, 999)), 'v');
$before = $cache->poolStats()['check_outs'];
$cache->mSet($items);
$cache->mGet(array_keys($items));
$cache->mDelete(array_keys($items));
$stats = $cache->poolStats();
same(3, $stats['check_outs'] - $before, 'check-outs');
same(1, $stats['opened'], 'connections');
$lines = $server->commands();
same(3000, count(array_filter($lines, fn ($line) => preg_match('/^(PUT|GET|DEL)\tkey /', $line))), 'commands');
same("PUT\tkey 0\t-\t-\tv", $lines[0], 'the first');

finish();
--EXPECT--
ok
