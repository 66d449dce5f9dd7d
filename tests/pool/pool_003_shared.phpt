--TEST--
Handles that differ only in what belongs to a handle share a pool
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$base = ['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 3];
$handles = [
    new TagCache($base),
    new TagCache($base + ['timeout_ms' => 1234]),
    new TagCache($base + ['acquire_timeout_ms' => 77]),
    new TagCache($base + ['connect_timeout_ms' => 500]),
    new TagCache($base + ['probe_after_ms' => 1000]),
    new TagCache($base + ['max_reply_bytes' => 4096]),
    new TagCache($base + ['max_call_bytes' => 4096]),
    new TagCache($base + ['serializer' => 'php']),
    new TagCache($base + ['mode' => 'tcp', 'enable_keep_alive' => true, 'keep_alive_idle' => 60]),
    TagCache::create($base),
    tagcache_create($base),
    new TagCache("tagcache://127.0.0.1:$server->port?pool_size=3"),
    new class ($base) extends TagCache {
    },
];
foreach ($handles as $n => $handle) {
    $handle->set("k$n", $n);
}
foreach ($handles as $n => $handle) {
    same(1, $handle->poolStats()['opened'], "handle $n: one connection was opened in all");
    same(count($handles), $handle->poolStats()['check_outs'], "handle $n: it counts the calls of all");
}
same(1, $server->stats()['peers_total'], 'the server saw one peer');

finish();
--EXPECT--
ok
