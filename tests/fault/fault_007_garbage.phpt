--TEST--
What is no reply to the command: ProtocolException, and the connection is closed
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->set('kept', 'stays', ['t']);
$fds = descriptors();
$garbage = ['rubbish\n', '\n', '\r\n', 'VALUE\n', 'VALUE x\n', 'value\tx\n', 'VALUES\tx\n', ' VALUE\tx\n', 'HTTP/1.1 400 Bad Request\r\n', '+OK\n', '$-1\n',
    '\x00\n', '\xff\xfe\n', 'OK\n', 'ADDED\n', 'DEL ok\n', 'KEYS\ta\n', 'INV_TAG\t1\n', 'STATS\t1\t2\t3\t4\t0.5\n', 'FLUSH\t1\n', 'EXISTS\n', 'NFX\n', 'NF\t\n', 'NF \n'];
foreach ($garbage as $text) {
    $before = $cache->poolStats()['closed_broken'];
    $server->rule("replace:reply=*,verb=GET,text=$text");
    throws_in_time(TagCache\ProtocolException::class, fn () => $cache->get('kept'), "GET answered by $text", 0, early: true);
    throws(TagCache\ProtocolException::class, fn () => $cache->has('kept'), "has answered by $text");
    throws(TagCache\ProtocolException::class, fn () => $cache->mGet(['kept', 'x']), "mGet answered by $text");
    same(3, $cache->poolStats()['closed_broken'] - $before, "$text: each connection was closed");
    $server->clear();
    same('stays', $cache->get('kept'), "$text: the next call");
}
$wrong = [
    'PUT' => [fn () => $cache->set('o', 1), ['NF\n', 'VALUE\tx\n', 'ADDED\n', 'OK \n', 'ok\n']],
    'ADD' => [fn () => $cache->add('o', 1), ['OK\n', 'NF\n', 'added\n']],
    'DEL' => [fn () => $cache->delete('o'), ['DEL\n', 'DEL\tok\n', 'DEL maybe\n', 'OK\n', 'NF\n']],
    'INCR' => [fn () => $cache->increment('n'), ['OK\n', 'VALUE\tabc\n', 'VALUE\t\n', 'VALUE\t1.5\n', 'VALUE\t9223372036854775808\n', 'NF\n', 'VALUE\t1\t2\n']],
    'INV_TAG' => [fn () => $cache->invalidateTag('o'), ['INV_TAG\n', 'INV_TAG\tx\n', 'INV_TAG\t-1\n', 'FLUSH\t1\n', 'INV_TAG\t99999999999999999999\n']],
    'INV_TAGS_ANY' => [fn () => $cache->invalidateTags(['o', 'p']), ['INV_TAG\t1\n', 'INV_TAGS_ALL\t1\n', 'OK\n']],
    'KEYS_BY_TAG' => [fn () => $cache->keysByTag('t'), ['KEYS\n', 'VALUE\ta\n', 'KEYS_BY_TAG\ta\n', 'OK\n']],
    'STATS' => [fn () => $cache->stats(), ['STATS\n', 'STATS\t1\t2\t3\t4\n', 'STATS\ta\tb\tc\td\te\n', 'STATS\t-1\t2\t3\t4\t0.5\n', 'OK\n']],
    'FLUSH' => [fn () => $cache->flush(), ['FLUSH\n', 'FLUSH\tx\n', 'OK\n']],
];
foreach ($wrong as $verb => [$call, $texts]) {
    foreach ($texts as $text) {
        $server->rule("replace:reply=*,verb=$verb,text=$text");
        throws(TagCache\ProtocolException::class, $call, "$verb answered by $text");
        $server->clear();
    }
}
check(descriptors() <= $fds, 'no descriptor is leaked');
$cache->set('kept', 'again');
same('again', $cache->get('kept'), 'it works on');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
