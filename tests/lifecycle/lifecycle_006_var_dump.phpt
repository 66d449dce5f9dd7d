--TEST--
var_dump() shows the state of a handle and no more
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['pool_size' => 3, 'timeout_ms' => 1234]);
$cache->set(k('secret'), 'a secret value');
$info = $cache->__debugInfo();
check(is_array($info) && $info !== [], '__debugInfo');
ob_start();
var_dump($cache);
print_r($cache);
$shown = ob_get_clean();
['host' => $host, 'port' => $port] = address();
check(str_contains($shown, "$host:$port"), 'the server');
check(str_contains($shown, '1234'), 'timeout_ms');
check(!str_contains($shown, 'secret'), 'no keys or values');
same("\TagCache::__set_state(array(\n))", trim(preg_replace('/ +$/m', '', var_export($cache, true))), 'var_export');
$cache->close();
ob_start();
var_dump($cache);
check(stripos(ob_get_clean(), 'closed') !== false, 'a closed handle says so');

finish();
--EXPECT--
ok
