--TEST--
What the server refuses is a ServerException with its text, and the connection lives on
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->set('first', 1);
$opened = $cache->poolStats()['opened'];
$calls = [
    'PUT' => fn () => $cache->set('k', 1), 'ADD' => fn () => $cache->add('k', 1), 'GET' => fn () => $cache->get('k', 'default'),
    'DEL' => fn () => $cache->delete('k'), 'INCR' => fn () => $cache->increment('k'), 'DECR' => fn () => $cache->decrement('k'),
    'INV_TAG' => fn () => $cache->invalidateTag('t'), 'INV_TAGS_ANY' => fn () => $cache->invalidateTags(['t', 'u']),
    'INV_TAGS_ALL' => fn () => $cache->invalidateTags(['t', 'u'], 'all'), 'KEYS_BY_TAG' => fn () => $cache->keysByTag('t'),
    'STATS' => fn () => $cache->stats(), 'FLUSH' => fn () => $cache->flush(),
];
foreach ($calls as $verb => $call) {
    $server->rule("replace:reply=*,verb=$verb,text=ERR the dog ate it\\n");
    throws(TagCache\ServerException::class, $call, $verb, 'the dog ate it');
    $server->clear();
}
// FLUSH was carried out, whatever the server said.
$cache->set('kept', 1);
$server->rule('replace:reply=*,verb=GET,text=ERR has\n');
throws(TagCache\ServerException::class, fn () => $cache->has('k'), 'has', 'has');
throws(TagCache\ServerException::class, fn () => $cache->mGet(['a', 'b']), 'mGet', 'has');
throws(TagCache\ServerException::class, fn () => $cache->searchAny(['a', 'b']) ?: $cache->get('k'), 'then get', 'has');
$server->clear();
// In the middle of a bulk: the others are carried out, and the exception says it.
$server->rule('replace:reply=3,verb=PUT,text=ERR no room\n,conn=1');
$bulk = $server->cache(['pool_size' => 3]);
throws(TagCache\ServerException::class, fn () => $bulk->mSet(['a' => 1, 'b' => 2, 'c' => 3, 'd' => 4, 'e' => 5]), 'mSet', 'no room');
same(1, $bulk->get('a'), 'the first was stored');
$server->clear();
// Text that is not fit for a message.
$server->rule('replace:reply=*,verb=GET,text=ERR \x1b[31mred\x00\xff\n');
$thrown = throws(TagCache\ServerException::class, fn () => $cache->get('k'), 'a refusal in binary');
check(preg_match('/[\x00-\x1f\x7f]/', $thrown->getMessage()) === 0, 'control characters do not get into the message');
check(preg_match('//u', $thrown->getMessage()) === 1, 'nor does what is not UTF-8');
$server->clear();
$server->rule('replace:reply=*,verb=GET,text=ERR\n');
throws(TagCache\ServerException::class, fn () => $cache->get('k'), 'a bare ERR');
$server->clear();
same(1, $cache->get('kept'), 'what was stored is there');
$stats = $cache->poolStats();
same([$opened, 0], [$stats['opened'], $stats['closed_broken']], 'no connection was lost');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
