--TEST--
Options as a DSN
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

['host' => $host, 'port' => $port] = address();
$cache = cache();
$cache->set(k('a'), 'there');
foreach ([
    "tagcache://$host:$port", "tagcache://$host:$port/", "tagcache://$host:$port?", "tagcache://$host:$port?pool_size=3",
    "tagcache://$host:$port/?pool_size=3&timeout_ms=1000", "tagcache://$host:$port?&pool_size=3&", "tagcache://localhost:$port",
    "tagcache://$host?port=$port", "tagcache://?host=$host&port=$port", "tagcache://%31%32%37.0.0.1:$port",
    "tagcache://$host:$port?enable_keep_alive=0", "tagcache://$host:$port?enable_keep_alive=true&serializer=php&mode=tcp",
    "tagcache://$host:$port?pool%5Fsize=3",
] as $dsn) {
    [$got] = timed(fn () => (new TagCache($dsn))->get(k('a')));
    same('there', $got, $dsn);
}
same(3, (new TagCache("tagcache://$host:$port?pool_size=3"))->poolStats()['size'], 'pool_size of the DSN');
same(5, (new TagCache("tagcache://$host:$port?pool_size=3&pool_size=5"))->poolStats()['size'], 'given twice, the last counts');
same("$host:$port", (new TagCache("tagcache://$host:$port"))->poolStats()['endpoint'], 'endpoint');
same('[::1]:1984', (new TagCache('tagcache://[::1]'))->poolStats()['endpoint'], 'an IPv6 address');
same('[::1]:5', (new TagCache('tagcache://[::1]:5'))->poolStats()['endpoint'], 'an IPv6 address and a port');
same('127.0.0.1:1984', (new TagCache('tagcache://'))->poolStats()['endpoint'], 'nothing but the scheme');
same('unix:///run/a b.sock', (new TagCache('unix:///run/a%20b.sock?timeout_ms=5'))->poolStats()['endpoint'], 'a Unix socket');

$class = TagCache\InvalidArgumentException::class;
foreach ([
    '', 'localhost', "$host:$port", 'http://localhost', 'redis://localhost', 'TagCache', 'tagcache:/localhost', 'tagcache//localhost',
    'unix://', 'unix://relative', "tagcache://$host:$port/path", "tagcache://user:secret@$host:$port", 'tagcache://[::1', "tagcache://$host:",
    "tagcache://$host:0", "tagcache://$host:65536", "tagcache://$host:port", "tagcache://$host:-1", "tagcache://$host:1984x",
    "tagcache://$host?pool_size", "tagcache://$host?pool_size=", "tagcache://$host?pool_size=0", "tagcache://$host?pool_size=abc",
    "tagcache://$host?pool_size=1.5", "tagcache://$host?=5", "tagcache://$host?enable_keep_alive=maybe", "tagcache://$host?pool_size=%",
    "tagcache://$host?pool_size=%zz", "tagcache://a b", "tagcache://a%00b", "tagcache://a\nb", "unix:///a%00b", 'tagcache://a:b:c',
    'tagcache://::1',
] as $dsn) {
    throws($class, fn () => new TagCache($dsn), 'DSN ' . show($dsn));
}
$thrown = throws($class, fn () => new TagCache("tagcache://user:secret@$host:$port"), 'a password');
check(!str_contains($thrown->getMessage(), 'secret'), 'a password is not repeated: ' . $thrown->getMessage());

finish();
--EXPECT--
ok
