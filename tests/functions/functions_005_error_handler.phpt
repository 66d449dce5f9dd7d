--TEST--
An error handler may turn the warnings into exceptions, and use the cache
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['replace:reply=0,verb=GET,text=ERR once\n,times=1']);
$cache = $server->cache(['pool_size' => 1]);
$cache->set('a', 1);
set_error_handler(function (int $level, string $message) use ($cache): bool {
    $cache->set('seen', $message);
    throw new ErrorException($message, 0, $level);
});
throws(ErrorException::class, fn () => tagcache_get($cache, 'a'), 'the exception of the handler', 'once');
same(1, tagcache_get($cache, 'a'), 'the next call');
check(str_contains($cache->get('seen'), 'once'), 'the handler could use the cache');
restore_error_handler();
// Silenced.
$server->rule('replace:reply=*,verb=GET,text=ERR always\n');
same(null, @tagcache_get($cache, 'a'), 'silenced by @');
check(str_contains(error_get_last()['message'] ?? '', 'always'), 'and kept for error_get_last()');
at_full_capacity((function () use ($server, $cache) {
    $server->clear();
    return $cache;
})(), 'at the end');

finish();
--EXPECT--
ok
