--TEST--
A Unix socket, by option and by DSN
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$path = socket_path();
$server = new Fault([], $path);
foreach (['option' => ['path' => $path], 'DSN' => "unix://$path", 'DSN with options' => "unix://$path?pool_size=3&timeout_ms=1000"] as $what => $options) {
    $cache = new TagCache($options);
    same(true, $cache->set($what, ["binary\0\n"], ['t']), "$what: set");
    same(["binary\0\n"], $cache->get($what), "$what: get");
    same("unix://$path", $cache->poolStats()['endpoint'], "$what: endpoint");
}
same(3, (new TagCache("unix://$path"))->invalidateTag('t'), 'one server behind all');
$big = str_repeat('x', 5_000_000);
$cache->set('big', $big);
check($cache->get('big') === $big, '5 MB');
$absent = throws(TagCache\ConnectionException::class, fn () => (new TagCache("unix://$path.none"))->get('x'), 'no such socket', "$path.none");
same("unix://$path.none", $absent->getPeer(), 'getPeer');

finish();
--EXPECT--
ok
