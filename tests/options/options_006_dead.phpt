--TEST--
Options of the old extension that mean nothing now are accepted and deprecated
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

foreach (['pipeline_depth' => 10, 'enable_pipelining' => true, 'enable_async_io' => false, 'http_base' => 'http://localhost:8080'] as $name => $value) {
    $options = address() + [$name => $value];
    $cache = raises(E_DEPRECATED, fn () => new TagCache($options), "new with $name", $name, 'no effect');
    same(true, $cache->set(k($name), 1), "a handle made with $name works");
    raises(E_DEPRECATED, fn () => TagCache::create($options), "create with $name", $name);
    raises(E_DEPRECATED, fn () => tagcache_create($options), "tagcache_create with $name", $name);
    raises(E_DEPRECATED, fn () => new TagCache(sprintf('tagcache://%s:%d?%s=1', $options['host'], $options['port'], $name)), "a DSN with $name", $name);
    same(false, ini_get("tagcache.$name"), "no setting of $name");
}
$raised = 0;
set_error_handler(function () use (&$raised) {
    $raised++;
    return true;
});
new TagCache(address() + ['pipeline_depth' => 1, 'enable_pipelining' => 1, 'enable_async_io' => 1, 'http_base' => '']);
restore_error_handler();
same(4, $raised, 'each of them says so');
set_error_handler(fn (int $level, string $message) => throw new ErrorException($message));
throws(ErrorException::class, fn () => new TagCache(address() + ['http_base' => 'x']), 'a handler that throws', 'http_base');
restore_error_handler();

finish();
--EXPECT--
ok
