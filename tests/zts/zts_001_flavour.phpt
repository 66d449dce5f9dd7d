--TEST--
The extension knows how PHP was built
--FILE--
<?php
require __DIR__ . '/../inc/test.inc';

ob_start();
phpinfo(INFO_MODULES);
$section = substr($all = ob_get_clean(), (int) strpos($all, "\ntagcache\n"));
check(preg_match('/(?:ZTS|thread safety)\s*=>\s*(\w+)/i', $section, $parts) === 1, 'phpinfo says whether it is thread safe');
same((bool) PHP_ZTS, in_array(strtolower($parts[1] ?? ''), ['yes', 'on', 'enabled'], true), 'and it is right');
$api = (PHP_VERSION_ID >= 80400 ? '20240924' : '20220829');
check(str_contains($section, $api), "the API of PHP $api");

finish();
--EXPECT--
ok
