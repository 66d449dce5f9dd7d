--TEST--
phpinfo() has a section
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['pool_size' => 7]);
$cache->set(k('a'), 1);
ob_start();
phpinfo(INFO_MODULES);
$info = ob_get_clean();
check(preg_match('/^tagcache$/m', $info) === 1, 'the section');
$section = substr($info, strpos($info, "\ntagcache\n"));
check(str_contains($section, TagCache::VERSION), 'version');
check(preg_match('/PHP API\s*=>\s*20\d{6}/i', $section) === 1, 'PHP API');
check(preg_match('/(ZTS|thread safety)\s*=>\s*(yes|no|enabled|disabled|on|off)/i', $section, $parts) === 1, 'thread safety');
same((bool) PHP_ZTS, in_array(strtolower($parts[2] ?? ''), ['yes', 'enabled', 'on'], true), 'thread safety as it is');
['host' => $host, 'port' => $port] = address();
check(str_contains($section, "$host:$port"), 'the live pool');
check(preg_match('/' . preg_quote("$host:$port", '/') . '.*\b7\b/', $section) === 1, 'its size');
foreach (array_keys(ini_get_all('tagcache')) as $name) {
    check(str_contains($section, $name), "the setting $name");
}
$out = shell_exec(escapeshellarg(PHP_BINARY) . ' -n -d extension=' . escapeshellarg(extension()) . ' --ri tagcache 2>&1');
check(str_contains((string) $out, TagCache::VERSION), 'php --ri');

function extension(): string
{
    require_once __DIR__ . '/../inc/child.inc';
    return extension_file();
}

finish();
--EXPECT--
ok
