--TEST--
With strict_types the arguments are not coerced
--FILE--
<?php
require __DIR__ . '/../inc/strict.inc';

strict_arguments();

finish();
--EXPECT--
ok
