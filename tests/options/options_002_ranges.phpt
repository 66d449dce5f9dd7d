--TEST--
A value out of range or of a wrong type throws and names option and range
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$class = TagCache\InvalidArgumentException::class;
$numbers = [
    'port' => [1, 65535], 'timeout_ms' => [1, null], 'acquire_timeout_ms' => [1, null], 'connect_timeout_ms' => [1, null], 'connect_backoff_ms' => [0, 60_000],
    'pool_size' => [1, null], 'min_idle' => [0, null], 'idle_timeout_ms' => [0, null], 'max_lifetime_ms' => [0, null],
    'probe_after_ms' => [0, null], 'max_reply_bytes' => [1, null], 'max_call_bytes' => [1024, 1 << 40], 'keep_alive_idle' => [1, null],
    'keep_alive_interval' => [1, null], 'keep_alive_count' => [1, null],
];
foreach ($numbers as $name => [$low, $high]) {
    $wrong = [$low - 1, -1, PHP_INT_MIN, PHP_INT_MAX, 1.5, true, null, [], new stdClass(), '', 'abc', '5 ', '5ms', '1e3', '-1', ' 5', STDIN];
    if ($high !== null) {
        $wrong[] = $high + 1;
    }
    foreach ($wrong as $value) {
        $thrown = throws($class, fn () => new TagCache([$name => $value]), "$name = " . show($value), $name);
        if ($thrown !== null) {
            check(preg_match('/from \d+ to \d+/', $thrown->getMessage()) === 1, 'the range: ' . $thrown->getMessage());
        }
    }
}
foreach (['enable_keep_alive'] as $name) {
    foreach (['', 'maybe', 2, -1, null, 1.0, []] as $value) {
        throws($class, fn () => new TagCache([$name => $value]), "$name = " . show($value), $name, 'true', 'false');
    }
}
foreach (['host', 'mode', 'serializer', 'path'] as $name) {
    foreach ([5, 1.5, true, null, [], new stdClass()] as $value) {
        throws($class, fn () => new TagCache([$name => $value]), "$name = " . show($value), $name);
    }
}
foreach (['', "a\0b", "a\nb", "\xff", 'a b', 'a/b', str_repeat('a', 5000)] as $host) {
    throws($class, fn () => new TagCache(['host' => $host]), 'host = ' . show($host), 'host');
}
foreach (['localhost:1985', '127.0.0.1:1985', '[::1]:1985', '[localhost]', '::1:2:3:4:5:6:7:8:9', '[::1', '::1]', ':'] as $host) {
    throws($class, fn () => new TagCache(['host' => $host]), 'host = ' . show($host), "'host'", "\"$host\" given");
}
throws($class, fn () => new TagCache(['host' => 'localhost:1985']), 'a host with a port', "'port'");
foreach (['::1' => '[::1]', '[::1]' => '[::1]', 'fe80::1%lo' => '[fe80::1%lo]', '::ffff:127.0.0.1' => '[::ffff:127.0.0.1]', 'localhost' => 'localhost'] as $host => $shown) {
    same("$shown:7", (new TagCache(['host' => $host, 'port' => 7]))->poolStats()['endpoint'], "host = $host");
}
foreach (["/a\0b", 'relative/path', '/' . str_repeat('a', 200)] as $path) {
    throws($class, fn () => new TagCache(['path' => $path]), 'path = ' . show($path), 'path');
}
throws($class, fn () => new TagCache(['serializer' => 'yaml']), 'an unknown serializer', 'serializer', 'php', 'yaml');
throws($class, fn () => new TagCache(['pool_size' => 2, 'min_idle' => 3]), 'min_idle above pool_size', 'min_idle', 'pool_size');
throws($class, fn () => new TagCache(['path' => '/run/x', 'host' => 'localhost']), 'path and host', 'path', 'host');
throws($class, fn () => TagCache::create(['port' => 0]), 'create', 'port');
same(true, cache()->set(k('a'), 1), 'later handles are not affected');

finish();
--EXPECT--
ok
