--TEST--
Each function returns what it did and raises one warning that says what failed
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$port = closed_port();
$cache = tagcache_create(['host' => '127.0.0.1', 'port' => $port]);
same(TagCache::class, get_class($cache), 'a handle to nowhere is a handle');
$functions = [
    'tagcache_put' => [false, fn ($c) => tagcache_put($c, 'k', 'v')],
    'tagcache_get' => [null, fn ($c) => tagcache_get($c, 'k')],
    'tagcache_delete' => [false, fn ($c) => tagcache_delete($c, 'k')],
    'tagcache_invalidate_tag' => [0, fn ($c) => tagcache_invalidate_tag($c, 't')],
    'tagcache_keys_by_tag' => [[], fn ($c) => tagcache_keys_by_tag($c, 't')],
    'tagcache_bulk_get' => [[], fn ($c) => tagcache_bulk_get($c, ['k'])],
    'tagcache_bulk_put' => [0, fn ($c) => tagcache_bulk_put($c, ['k' => 'v'])],
    'tagcache_stats' => [[], fn ($c) => tagcache_stats($c)],
    'tagcache_flush' => [0, fn ($c) => tagcache_flush($c)],
    'tagcache_search_any' => [[], fn ($c) => tagcache_search_any($c, ['t'])],
    'tagcache_search_all' => [[], fn ($c) => tagcache_search_all($c, ['t', 'u'])],
];
foreach ($functions as $name => [$failure, $call]) {
    same($failure, raises(E_WARNING, fn () => $call($cache), "$name, absent", "$name(): ", "127.0.0.1:$port"), "$name, absent");
}
$server = new Fault(['replace:reply=*,text=ERR out of order\n']);
$refused = $server->cache();
foreach ($functions as $name => [$failure, $call]) {
    same($failure, raises(E_WARNING, fn () => $call($refused), "$name, ERR", "$name(): ", 'out of order'), "$name, ERR");
}
tagcache_close($cache);
foreach ($functions as $name => [$failure, $call]) {
    same($failure, raises(E_WARNING, fn () => $call($cache), "$name, closed", "$name(): ", 'closed'), "$name, closed");
}
same(false, raises(E_WARNING, fn () => tagcache_create(['prot' => 5]), 'an unknown option', 'tagcache_create(): ', 'prot', 'port'), 'tagcache_create');
same(false, raises(E_WARNING, fn () => tagcache_create(['port' => 0]), 'a value out of range', 'port', '65535'), 'tagcache_create');
same(false, raises(E_WARNING, fn () => tagcache_create(['mode' => 'http']), 'mode http', 'tcp'), 'tagcache_create');
same(TagCache::class, get_class(tagcache_create()), 'from the INI settings');
same(TagCache::class, get_class(tagcache_create(null)), 'from null');
throws(TypeError::class, fn () => tagcache_create('tagcache://127.0.0.1'), 'a DSN is for the class', 'array');
throws(TypeError::class, fn () => tagcache_get('handle', 'k'), 'a handle that is none', 'TagCache');
throws(TypeError::class, fn () => tagcache_get(new stdClass(), 'k'), 'another object', 'TagCache');
throws(TypeError::class, fn () => tagcache_get(null, 'k'), 'null', 'TagCache');
throws(ArgumentCountError::class, fn () => tagcache_get($cache), 'too few');
throws(ArgumentCountError::class, fn () => tagcache_stats($cache, 1), 'too many');

finish();
--EXPECT--
ok
