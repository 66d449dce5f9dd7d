--TEST--
Random values with the serializer php come back identical or are refused
--FILE--
<?php
require __DIR__ . '/../inc/values.inc';

check_values('php', how_many());

finish();
--EXPECT--
ok
