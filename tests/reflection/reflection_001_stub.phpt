--TEST--
The stub says exactly what Reflection says of the extension
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

// Both sides are described by the same code: here the extension, in a PHP without it the stub.
$describe = file_get_contents(__DIR__ . '/../inc/describe.inc');
$describe = preg_replace('/^<\?php\s+declare\(strict_types=1\);/m', '', $describe, 1);
$stub = realpath(__DIR__ . '/../../stubs/tagcache.stub.php');
$real = run_php("$describe\necho json_encode(describe());");
$code = "$describe\nrequire " . var_export($stub, true) . ";\necho json_encode(describe());";
$wanted = run_php($code, [], [], false);
$stubbed = json_decode($wanted->output, true);
$loaded = json_decode($real->output, true);
check(is_array($stubbed) && count($stubbed) >= 50, "the stub can be read: $wanted->output $wanted->errors");
check(is_array($loaded) && count($loaded) >= 50, "the extension can be read: $real->errors");
foreach ($stubbed ?? [] as $name => $what) {
    same($what, $loaded[$name] ?? null, $name);
}
same([], array_values(array_diff(array_keys($loaded ?? []), array_keys($stubbed ?? []))), 'the extension has nothing more than the stub');

finish();
--EXPECT--
ok
