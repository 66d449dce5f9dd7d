--TEST--
Random values with the serializer json come back identical or are refused
--FILE--
<?php
require __DIR__ . '/../inc/values.inc';

check_values('json', how_many());

finish();
--EXPECT--
ok
