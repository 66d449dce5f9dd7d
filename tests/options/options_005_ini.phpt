--TEST--
Every option has an INI setting, which is its default
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$defaults = [
    'mode' => 'tcp', 'host' => '127.0.0.1', 'port' => '1984', 'path' => '', 'timeout_ms' => '5000', 'acquire_timeout_ms' => '5000',
    'connect_timeout_ms' => '3000', 'connect_backoff_ms' => '2000', 'pool_size' => '8', 'min_idle' => '0', 'idle_timeout_ms' => '60000', 'max_lifetime_ms' => '1800000',
    'probe_after_ms' => '0', 'max_reply_bytes' => '67108864', 'max_call_bytes' => '67108864', 'enable_keep_alive' => '1', 'keep_alive_idle' => '60',
    'keep_alive_interval' => '10', 'keep_alive_count' => '3', 'serializer' => 'php', 'unserialize_allowed_classes' => '1',
    'prefix' => '', 'compression' => 'none', 'compression_threshold' => '2048', 'compression_level' => '0',
    'max_decompressed_bytes' => '67108864', 'max_pools' => '64',
    'slow_log_ms' => '0', 'slow_log' => '', 'session_prefix' => 'session:', 'session_locking' => '1', 'session_lock_ms' => '60000',
    'session_lock_wait_ms' => '10000',
];
$settings = ini_get_all('tagcache', true);
same_set(array_map(fn ($name) => "tagcache.$name", array_keys($defaults)), array_keys($settings), 'the settings');
foreach ($defaults as $name => $value) {
    same($value, $settings["tagcache.$name"]['global_value'], "default of $name as documented");
}
foreach (['max_pools', 'slow_log_ms', 'slow_log'] as $name) {
    same(INI_SYSTEM, $settings["tagcache.$name"]['access'], "$name belongs to the administrator");
}
same(false, @ini_set('tagcache.max_pools', '5'), 'and cannot be set by a script');

// From the start of the process.
$out = run_php(<<<'PHP'
    $cache = new TagCache();
    echo json_encode([$cache->poolStats()['endpoint'], $cache->poolStats()['size'], TagCache::create(null)->poolStats()['size'],
        tagcache_create()->poolStats()['size'], TagCache::create(['pool_size' => 7])->poolStats(), TagCache::create('tagcache://?port=6')->poolStats()]);
    PHP, [], ['tagcache.host' => 'cache.example.org', 'tagcache.port' => 4711, 'tagcache.pool_size' => 5]);
$got = json_decode($out->output, true);
same(['cache.example.org:4711', 5, 5, 5], array_slice($got ?? [], 0, 4), 'new, create and tagcache_create: ' . $out->output . $out->errors);
same(['cache.example.org:4711', 7], [$got[4]['endpoint'], $got[4]['size']], 'an option overrides its setting only');
same(['cache.example.org:6', 5], [$got[5]['endpoint'], $got[5]['size']], 'so does a DSN');

// At run time, for the handles made afterwards.
$restore = fn (string $name) => ini_set("tagcache.$name", $defaults[$name]);
$before = new TagCache();
ini_set('tagcache.pool_size', '3');
ini_set('tagcache.port', '4712');
same([3, '127.0.0.1:4712'], [(new TagCache())->poolStats()['size'], (new TagCache())->poolStats()['endpoint']], 'ini_set');
same([8, '127.0.0.1:1984'], [$before->poolStats()['size'], $before->poolStats()['endpoint']], 'an earlier handle is as it was');
ini_restore('tagcache.port');
same('1984', ini_get('tagcache.port'), 'ini_restore');
$restore('port');
$restore('pool_size');
ini_set('tagcache.path', '/run/x.sock');
same('unix:///run/x.sock', (new TagCache())->poolStats()['endpoint'], 'tagcache.path');
same('127.0.0.1:1984', (new TagCache(['host' => '127.0.0.1']))->poolStats()['endpoint'], 'a host that is given goes before it');
$restore('path');

// A wrong setting shows when a handle is made.
foreach (['pool_size' => '0', 'port' => 'abc', 'timeout_ms' => '-5', 'mode' => 'http', 'serializer' => 'yaml', 'max_reply_bytes' => '5'] as $name => $value) {
    ini_set("tagcache.$name", $value);
    throws(TagCache\InvalidArgumentException::class, fn () => new TagCache(), "tagcache.$name = $value", $name);
    $restore($name);
}
// It is named as the setting that it is, and a handle that is given that option does not mind.
foreach ([
    'pool_size' => ['0', 2], 'port' => ['abc', 1984], 'mode' => ['http', 'tcp'], 'serializer' => ['yaml', 'php'], 'host' => ['a b', 'localhost'],
    'prefix' => ['a,b', 'a:'], 'compression' => ['gzip', 'lz4'], 'enable_keep_alive' => ['perhaps', false],
    'unserialize_allowed_classes' => ['5x', true], 'path' => ['relative', '/run/x'],
] as $name => [$wrong, $right]) {
    ini_set("tagcache.$name", $wrong);
    throws(TagCache\InvalidArgumentException::class, fn () => new TagCache(), "tagcache.$name = $wrong", "INI setting 'tagcache.$name'");
    throws(TagCache\InvalidArgumentException::class, fn () => new TagCache(['timeout_ms' => 5]), "$name: another option is given", "tagcache.$name");
    same(true, timed(fn () => new TagCache([$name => $right]))[0] instanceof TagCache, "$name: that option is given");
    throws(TagCache\InvalidArgumentException::class, fn () => new TagCache([$name => null]), "$name: that option is wrong, too", "option '$name'");
    $restore($name);
}
ini_set('tagcache.port', 'abc');
same(8, (new TagCache('tagcache://127.0.0.1:5'))->poolStats()['size'], 'a DSN overrides a wrong setting');
same(false, @tagcache_create(), 'and what does not, fails');
same(true, tagcache_create(['port' => 5]) instanceof TagCache, 'in the functions, too');
$restore('port');
ini_set('tagcache.min_idle', '5');
throws(TagCache\InvalidArgumentException::class, fn () => new TagCache(['pool_size' => 3]), 'min_idle of the settings', "'tagcache.min_idle'", 'pool_size (3)');
$restore('min_idle');
foreach (['64M' => true, '65536K' => true, '1G' => true, '67108864' => true, '64X' => false] as $value => $good) {
    ini_set('tagcache.max_reply_bytes', (string) $value);
    [$outcome] = timed(fn () => new TagCache());
    same($good, $outcome instanceof TagCache, "max_reply_bytes = $value");
}

finish();
--EXPECT--
ok
