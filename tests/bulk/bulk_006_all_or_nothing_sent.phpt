--TEST--
One bad key, tag or value in a bulk: nothing is sent
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->set('a', 'kept');
$server->commands();
$many = array_fill_keys(array_map(fn ($n) => "key $n", range(0, 9999)), 'value');
$invalid = TagCache\InvalidArgumentException::class;
$unserializable = TagCache\SerializationException::class;
throws($invalid, fn () => $cache->mSet($many + ["bad\n" => 1]), 'a bad key at the end', '3');
throws($invalid, fn () => $cache->mSet(["bad\n" => 1] + $many), 'a bad key at the start');
throws($invalid, fn () => $cache->mSet($many, null, ['t', "bad\t"]), 'a bad tag');
throws($invalid, fn () => $cache->mSet($many, 0), 'a bad ttl');
throws($unserializable, fn () => $cache->mSet($many + ['x' => fn () => 1]), 'a closure at the end');
throws($unserializable, fn () => $cache->mSet(['a' => 'overwritten', 'x' => [STDIN]]), 'a resource');
throws($invalid, fn () => $cache->mGet([...array_keys($many), '']), 'mGet with an empty key');
throws($invalid, fn () => $cache->mDelete([...array_keys($many), 'a', "\xff"]), 'mDelete with a bad key');
throws($invalid, fn () => $cache->mDelete(['a', []]), 'mDelete with an array');
same(0, raises(E_WARNING, fn () => tagcache_bulk_put($cache, $many + ["bad\n" => 1]), 'tagcache_bulk_put'), 'tagcache_bulk_put');
same([], raises(E_WARNING, fn () => tagcache_bulk_get($cache, ['a', "\0"]), 'tagcache_bulk_get'), 'tagcache_bulk_get');
same([], $server->log(), 'nothing reached the server');
same('kept', $cache->get('a'), 'what was stored is unchanged');

finish();
--EXPECT--
ok
