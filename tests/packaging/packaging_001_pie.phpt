--TEST--
composer.json is what PIE reads, and the archives are named as PIE asks for them
--FILE--
<?php
require __DIR__ . '/../inc/test.inc';

$root = dirname(__DIR__, 2);
$composer = json_decode(file_get_contents("$root/composer.json"), true);
check(is_array($composer), 'composer.json is JSON');
check(preg_match('#^[a-z0-9]([_.-]?[a-z0-9]+)*/[a-z0-9](([_.]|-{1,2})?[a-z0-9]+)*$#', $composer['name']) === 1, 'name');
check($composer['name'] !== json_decode(file_get_contents("$root/php/composer.json"), true)['name'], 'a name of its own, not that of the PHP package');
same('php-ext', $composer['type'], 'type');
same('MIT', $composer['license'], 'license');
same(['php'], array_keys($composer['require']), 'needs PHP alone');
$settings = $composer['php-ext'];
$schema = [
    'extension-name' => fn ($v) => is_string($v) && preg_match('/^[A-Za-z][a-zA-Z0-9_]+$/', $v) === 1 && extension_loaded($v),
    'priority' => fn ($v) => is_int($v) && $v >= 10 && $v <= 99,
    'support-zts' => fn ($v) => $v === true,
    'support-nts' => fn ($v) => $v === true,
    'os-families' => fn ($v) => is_array($v) && $v !== [] && array_diff($v, ['windows', 'bsd', 'darwin', 'solaris', 'linux', 'unknown']) === [],
    // There is no config.m4: PIE must not try to build the source.
    'download-url-method' => fn ($v) => $v === ['pre-packaged-binary'],
];
same([], array_diff(array_keys($settings), array_keys($schema)), 'no unknown settings');
foreach ($schema as $name => $valid) {
    check(array_key_exists($name, $settings) && $valid($settings[$name]), "php-ext.$name");
}
check(!file_exists("$root/config.m4"), 'no config.m4');
check(!isset($composer['version']), 'the version is the tag');

// php_{ext}-{ver}_php{maj.min}-{arch}-{os}-{libc}{-debug}{-zts}.zip, in lower case.
$flavour = getenv('TAGCACHE_TEST_FLAVOUR') ?: (PHP_ZTS ? 'zts' : 'nts');
$arch = ['x86_64' => 'x86_64', 'aarch64' => 'arm64'][php_uname('m')] ?? php_uname('m');
$wanted = 'php_' . $settings['extension-name'] . '-' . TagCache::VERSION . '_php' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION
    . "-$arch-linux-glibc" . (PHP_DEBUG ? '-debug' : '') . (PHP_ZTS ? '-zts' : '') . '.zip';
same(strtolower($wanted), trim((string) shell_exec(escapeshellarg("$root/scripts/package.sh") . ' name ' . escapeshellarg($flavour) . ' 2>&1')), 'name of the archive');
check(str_contains(file_get_contents("$root/packaging/tagcache.ini"), "priority={$settings['priority']}\n"), 'Debian loads it at the same place');

finish();
--EXPECT--
ok
