--TEST--
Options as an array: every one is accepted within its range
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$good = [
    'mode' => ['tcp'],
    'host' => ['127.0.0.1', 'localhost', '::1', '[::1]', 'cache.example.org'],
    'port' => [1, 1984, 65535, '1984'],
    'path' => ['', '/run/tagcache.sock'],
    'timeout_ms' => [1, 5000, 3_600_000, '250'],
    'acquire_timeout_ms' => [1, 5000],
    'connect_timeout_ms' => [1, 3000],
    'connect_backoff_ms' => [0, 500],
    'pool_size' => [1, 8, 64, 1024],
    'min_idle' => [0, 1, 8],
    'idle_timeout_ms' => [0, 60_000],
    'max_lifetime_ms' => [0, 600_000],
    'probe_after_ms' => [0, 500],
    'max_reply_bytes' => [1024, 67_108_864],
    'max_call_bytes' => [1024, 67_108_864, 1 << 40, '4096'],
    'enable_keep_alive' => [true, false, 1, 0],
    'keep_alive_idle' => [1, 60],
    'keep_alive_interval' => [1, 10],
    'keep_alive_count' => [1, 3],
    'serializer' => ['php'],
];
foreach ($good as $name => $values) {
    foreach ($values as $value) {
        [$outcome] = timed(fn () => new TagCache([$name => $value]));
        same(TagCache::class, get_debug_type($outcome), "$name = " . show($value) . ': ' . show($outcome));
    }
}
$all = array_map(fn (array $values) => $values[0], $good);
$all = array_merge($all, ['timeout_ms' => 3000, 'acquire_timeout_ms' => 3000, 'connect_timeout_ms' => 3000], address());
$cache = new TagCache($all);
$cache->set(k('a'), 1);
same(1, $cache->get(k('a')), 'all at once, and it works');
same(true, cache(['enable_keep_alive' => false])->has(k('a')), 'without keep-alive');
same(true, cache(['host' => 'localhost'])->has(k('a')), 'by name');

finish();
--EXPECT--
ok
