--TEST--
Random values with the serializer msgpack come back identical or are refused
--FILE--
<?php
require __DIR__ . '/../inc/values.inc';

check_values('msgpack', how_many());

finish();
--EXPECT--
ok
