--TEST--
Random values with the serializer native come back identical or are refused
--FILE--
<?php
require __DIR__ . '/../inc/values.inc';

check_values('native', how_many());

finish();
--EXPECT--
ok
