--TEST--
Without the probe, a connection found dead is retried for reads and never for writes
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
// The probe is put off, so that the dead connection is only found by using it.
$cache = $server->cache(['pool_size' => 1, 'probe_after_ms' => 60_000]);
$cache->set('a', 1);
$server->kick();
usleep(20_000);
same(1, $cache->get('a'), 'get is sent again on a new connection');
$stats = $cache->poolStats();
same([2, 1], [$stats['opened'], $stats['retries']], 'one retry');
foreach (['keysByTag' => fn () => $cache->keysByTag('t'), 'stats' => fn () => $cache->stats()['puts']] as $name => $call) {
    $server->kick();
    usleep(20_000);
    [$outcome] = timed($call);
    check(!$outcome instanceof Throwable, "$name is sent again: " . show($outcome));
}

// The server has read the command and closes instead of answering: it may have been carried out.
$server->rule('close:reply=*,byte=0,verb=INCR', 'close:reply=*,byte=0,verb=PUT', 'close:reply=*,byte=0,verb=DEL', 'close:reply=*,byte=0,verb=INV_TAG',
    'close:reply=*,byte=0,verb=ADD', 'close:reply=*,byte=0,verb=FLUSH');
$counted = null;
foreach ([
    'INCR' => fn () => $cache->increment('n'), 'PUT' => fn () => $cache->set('p', 1), 'DEL' => fn () => $cache->delete('p'),
    'INV_TAG' => fn () => $cache->invalidateTag('t'), 'ADD' => fn () => $cache->add('q', 1), 'FLUSH' => fn () => $cache->flush(),
] as $verb => $call) {
    $cache->get('a');
    $server->commands();
    throws(TagCache\ConnectionException::class, $call, $verb);
    $counted ??= $cache->get('n');
    same(1, count(array_filter($server->commands(), fn ($line) => str_starts_with($line, $verb))), "$verb was sent once");
}
same(1, $counted, 'the increment had been carried out, once');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
