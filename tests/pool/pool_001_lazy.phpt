--TEST--
Making a handle opens no connection; the first command does
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 4]);
$more = [$server->cache(['pool_size' => 4]), new TagCache("tagcache://127.0.0.1:$server->port")];
usleep(20_000);
same(0, $server->stats()['peers_total'], 'nobody has connected');
same(['size' => 4, 'idle' => 0, 'in_use' => 0, 'opened' => 0],
    array_intersect_key($cache->poolStats(), ['size' => 1, 'idle' => 1, 'in_use' => 1, 'opened' => 1]), 'poolStats');
$cache->set('a', 1);
for ($n = 0; $n < 50; $n++) {
    $cache->get('a');
}
same(1, $server->stats()['peers_total'], 'one connection for all commands');
$stats = $cache->poolStats();
same([1, 1, 0, 51], [$stats['opened'], $stats['idle'], $stats['in_use'], $stats['check_outs']], 'poolStats');

finish();
--EXPECT--
ok
