--TEST--
An unknown option throws and names the one that was probably meant
--FILE--
<?php
require __DIR__ . '/../inc/test.inc';

$class = TagCache\InvalidArgumentException::class;
$meant = [
    'hots' => 'host', 'prot' => 'port', 'Port' => 'port', 'poolsize' => 'pool_size', 'pool_sise' => 'pool_size', 'timeout' => 'timeout_ms',
    'time_out_ms' => 'timeout_ms', 'connect_timeout' => 'connect_timeout_ms', 'serialiser' => 'serializer', 'maxlifetime_ms' => 'max_lifetime_ms',
    'keepalive_idle' => 'keep_alive_idle', 'max_reply_byte' => 'max_reply_bytes', 'minidle' => 'min_idle', 'probe_after' => 'probe_after_ms',
    'host ' => 'host', "host\0" => 'host', 'acquire_timeout' => 'acquire_timeout_ms',
];
foreach ($meant as $given => $nearest) {
    throws($class, fn () => new TagCache([$given => 1]), 'option ' . show($given), "'$nearest'");
}
throws($class, fn () => new TagCache(['completely different' => 1]), 'nothing is near', 'completely different', 'pool_size', 'host');
throws($class, fn () => new TagCache(['' => 1]), 'an empty name');
throws($class, fn () => new TagCache(['127.0.0.1', 1984]), 'a list', 'host');
throws($class, fn () => new TagCache([str_repeat('x', 100_000) => 1]), 'a very long name', '...');
throws($class, fn () => new TagCache('tagcache://127.0.0.1?poolsize=5'), 'in a DSN', 'poolsize', "'pool_size'");
throws($class, fn () => TagCache::create(['hots' => 'x']), 'create', "'host'");
// The first wrong one is reported even if dead ones stand beside it.
set_error_handler(fn () => true);
throws($class, fn () => new TagCache(['pipeline_depth' => 5, 'hots' => 1]), 'beside a dead one', 'hots');

finish();
--EXPECT--
ok
