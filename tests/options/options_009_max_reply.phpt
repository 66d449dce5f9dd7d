--TEST--
max_reply_bytes bounds a reply, and only a reply
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$small = cache(['max_reply_bytes' => 1024]);
$cache->set(k('fits'), str_repeat('x', 1000));
$cache->set(k('big'), str_repeat('x', 2000));
same(1000, strlen($small->get(k('fits'))), 'what fits');
throws(TagCache\ProtocolException::class, fn () => $small->get(k('big')), 'what does not', 'max_reply_bytes', '1024');
throws(TagCache\ProtocolException::class, fn () => $small->has(k('big')), 'has', 'max_reply_bytes');
throws(TagCache\ProtocolException::class, fn () => $small->mGet([k('fits'), k('big')]), 'mGet', 'max_reply_bytes');
same(2000, strlen($cache->get(k('big'))), 'another handle on the same pool has its own limit');
same(true, $small->set(k('sent'), str_repeat('y', 100_000)), 'what is sent may be longer');
$many = array_fill_keys(array_map(k(...), range(0, 99)), str_repeat('z', 900));
$small->mSet($many);
same($many, $small->mGet(array_keys($many)), 'many replies may be longer together');
same(1000, strlen($small->get(k('fits'))), 'it works on');

finish();
--EXPECT--
ok
