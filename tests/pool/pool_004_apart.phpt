--TEST--
Handles that differ in server, size or connection options have their own pools
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$base = ['host' => '127.0.0.1', 'port' => $server->port];
$apart = [
    [], ['pool_size' => 3], ['pool_size' => 4], ['enable_keep_alive' => false], ['keep_alive_idle' => 61], ['keep_alive_interval' => 11],
    ['keep_alive_count' => 4], ['max_lifetime_ms' => 5000], ['idle_timeout_ms' => 5000],
];
$handles = [];
foreach ($apart as $n => $options) {
    $handles[$n] = new TagCache($options + $base);
    $handles[$n]->set("k$n", $n);
    same($n + 1, $server->stats()['peers_total'], 'a connection of its own with ' . show($options));
}
foreach ($handles as $n => $handle) {
    same([1, 1], [$handle->poolStats()['opened'], $handle->poolStats()['check_outs']], 'its own figures with ' . show($apart[$n]));
}
$other = new Fault();
$elsewhere = $other->cache(['pool_size' => 8]);
same(null, $elsewhere->get('k0'), 'another server has its own data');
same(0, $handles[0]->get('k0'), 'and this one still has its own');

finish();
--EXPECT--
ok
