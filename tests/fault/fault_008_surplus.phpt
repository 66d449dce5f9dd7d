--TEST--
A surplus line voids the whole exchange: nobody gets a foreign value
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->mSet(['evil' => 'x', 'victim' => 'mine', 'third' => 'y'], null, ['t']);
$class = TagCache\ProtocolException::class;

// A stored value with a line feed, as the server's HTTP door lets it in.
$server->rule('replace:reply=0,verb=GET,text=VALUE\ta\nVALUE\tSTOLEN\n');
TagCache::drain();
throws($class, fn () => $cache->get('evil'), 'get of the evil key');
same('mine', (function () use ($server, $cache) {
    $server->clear();
    return $cache->get('victim');
})(), 'the next get has its own');
foreach ([
    'evil first' => ['evil', 'victim'], 'evil last' => ['victim', 'evil'], 'evil in the middle' => ['third', 'evil', 'victim'],
] as $what => $keys) {
    $at = array_search('evil', $keys, true);
    foreach (['VALUE\ta\nVALUE\tSTOLEN\n', 'VALUE\ta\nNF\n', 'NF\nNF\n', 'VALUE\ta\nERR x\n', 'VALUE\ta\n\n', 'VALUE\ta\nVALUE\tS\nVALUE\tT\n'] as $text) {
        $server->rule("replace:reply=$at,verb=GET,text=$text");
        TagCache::drain();
        throws($class, fn () => $cache->mGet($keys), "mGet, $what, $text");
        $server->clear();
        same(['victim' => 'mine'], $cache->mGet(['victim']), "mGet, $what, $text: the next has its own");
    }
}
// The surplus comes with the reply of every kind of command.
foreach ([
    'PUT' => fn () => $cache->set('o', 1), 'ADD' => fn () => $cache->add('o', 1), 'DEL' => fn () => $cache->delete('o'),
    'INCR' => fn () => $cache->increment('n'), 'INV_TAG' => fn () => $cache->invalidateTag('none'), 'KEYS_BY_TAG' => fn () => $cache->keysByTag('t'),
    'STATS' => fn () => $cache->stats(),
] as $verb => $call) {
    foreach (['VALUE\tSTOLEN\n', 'x', '\n'] as $text) {
        $server->rule("inject:reply=*,verb=$verb,text=$text");
        $broken = $cache->poolStats()['closed_broken'];
        throws($class, $call, "$verb with a surplus of $text");
        same($broken + 1, $cache->poolStats()['closed_broken'], "$verb with a surplus of $text: the connection is closed");
        $server->clear();
        same('mine', $cache->get('victim'), "$verb with a surplus of $text: the next call");
    }
}
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
