<?php

/*
 * Bootstrap of the tests, for PHPUnit 9.6. The environment says what to test against:
 *
 *   TAGCACHE_TEST_ADDR   host:port of a server
 *   TAGCACHE_TEST_LIBS   directory with the libraries, in Debian's layout or a project of Composer;
 *                        default /usr/share/php
 */

declare(strict_types=1);

namespace TagCache\Tests;

$libs = getenv('TAGCACHE_TEST_LIBS') ?: '/usr/share/php';
set_include_path($libs . PATH_SEPARATOR . get_include_path());

$loaders = ["$libs/vendor/autoload.php"];
if (!is_file($loaders[0])) {
    $loaders = array_map(static fn (string $package) => "$libs/$package/autoload.php", [
        'Psr/Cache', 'Psr/SimpleCache', 'Cache/TagInterop', 'Cache/IntegrationTests', 'Symfony/Component/Cache',
        'Symfony/Bundle/FrameworkBundle', 'Symfony/Component/Yaml', 'Illuminate/Contracts', 'Illuminate/Collections',
        'Illuminate/Macroable', 'Illuminate/Support', 'Illuminate/Cache', 'Illuminate/Container', 'Illuminate/Config',
    ]);
}
foreach ($loaders as $loader) {
    require_once $loader;
}

spl_autoload_register(static function (string $class): void {
    foreach (['TagCache\\Tests\\' => __DIR__, 'TagCache\\' => dirname(__DIR__) . '/src'] as $prefix => $directory) {
        if (str_starts_with($class, $prefix)) {
            $file = $directory . '/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            if (is_file($file)) {
                require $file;
            }

            return;
        }
    }
});
