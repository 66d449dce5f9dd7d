--TEST--
The version is one and the same everywhere
--FILE--
<?php
require __DIR__ . '/../inc/test.inc';

same(phpversion('tagcache'), TagCache::VERSION, 'constant and phpversion()');
check(preg_match('/^\d+\.\d+\.\d+/', TagCache::VERSION) === 1, 'its form');
same(true, extension_loaded('tagcache'), 'extension_loaded');
$module = new ReflectionExtension('tagcache');
same('tagcache', $module->getName(), 'name');
same(TagCache::VERSION, $module->getVersion(), 'version of the module');

finish();
--EXPECT--
ok
