--TEST--
Random values with the serializer igbinary come back identical or are refused
--FILE--
<?php
require __DIR__ . '/../inc/values.inc';

check_values('igbinary', how_many());

finish();
--EXPECT--
ok
