--TEST--
Random values come back identical when they are compressed, and below a prefix
--FILE--
<?php
require __DIR__ . '/../inc/values.inc';

check_values('php', intdiv(how_many(), 4), ['compression' => 'lz4', 'compression_threshold' => 0, 'prefix' => 'lz4:']);
check_values('igbinary', intdiv(how_many(), 4), ['compression' => 'zstd', 'compression_threshold' => 0]);
check_values('json', intdiv(how_many(), 4), ['compression' => 'zstd', 'compression_threshold' => 100, 'compression_level' => 9]);
check_values('msgpack', intdiv(how_many(), 4), ['compression' => 'lz4', 'prefix' => 'tenant é ']);

finish();
--EXPECT--
ok
