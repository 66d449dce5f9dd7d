--TEST--
max_call_bytes as option, in a DSN and as INI setting
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

['host' => $host, 'port' => $port] = address();
cache()->mSet([k('a') => str_repeat('a', 3000), k('b') => str_repeat('b', 3000)]);
$both = fn (TagCache $cache): array => array_map(get_debug_type(...), $cache->pipeline()->get(k('a'))->get(k('b'))->execute());
$fits = ['string', 'string'];
$too_much = ['string', TagCache\ProtocolException::class];
same($fits, $both(cache()), 'the default');
same($too_much, $both(cache(['max_call_bytes' => 5000])), 'an option');
same($too_much, $both(cache(['max_call_bytes' => '5000'])), 'digits');
same($too_much, $both(new TagCache("tagcache://$host:$port?max_call_bytes=5K")), 'a DSN');
same($fits, $both(new TagCache("tagcache://$host:$port?max_call_bytes=6K")), 'a DSN with room');
ini_set('tagcache.max_call_bytes', '5K');
same($too_much, $both(cache()), 'an INI setting');
same($fits, $both(cache(['max_call_bytes' => 10_000])), 'an option before a setting');
same(2, count(cache()->mGet([k('a'), k('b')])), 'mGet goes in as many exchanges as it needs');
same(3000, strlen(cache(['max_call_bytes' => 1024])->get(k('a'))), 'a reply that comes alone');

$class = TagCache\InvalidArgumentException::class;
ini_set('tagcache.max_call_bytes', '1000');
throws($class, fn () => cache(), 'a setting out of range', "'tagcache.max_call_bytes'", 'from 1024 to 1099511627776', '"1000" given');
ini_restore('tagcache.max_call_bytes');
throws($class, fn () => cache(['max_call_bytes' => 1023]), 'an option out of range', "'max_call_bytes'", 'from 1024 to 1099511627776', '1023 given');
throws($class, fn () => new TagCache("tagcache://$host:$port?max_call_bytes=2T"), 'a DSN out of range', "max_call_bytes'", '"2T" given');

finish();
--EXPECT--
ok
