--TEST--
max_lifetime_ms: an old connection is replaced, not used
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['max_lifetime_ms' => 100]);
$cache->set('a', 1);
$cache->get('a');
same(1, $cache->poolStats()['opened'], 'young: used again');
usleep(150_000);
same(1, $cache->get('a'), 'old: the call goes through');
$stats = $cache->poolStats();
same([2, 1, 0], [$stats['opened'], $stats['closed_retired'], $stats['closed_broken']], 'on a new one');
$forever = $server->cache(['max_lifetime_ms' => 0]);
$forever->get('a');
usleep(150_000);
$forever->get('a');
same(1, $forever->poolStats()['opened'], '0 is no limit');

finish();
--EXPECT--
ok
