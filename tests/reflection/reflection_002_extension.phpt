--TEST--
What belongs to the extension, as Reflection lists it
--FILE--
<?php
require __DIR__ . '/../inc/test.inc';

$extension = new ReflectionExtension('tagcache');
same_set(['TagCache', 'TagCache\Exception', 'TagCache\ConnectionException', 'TagCache\TimeoutException', 'TagCache\PoolExhaustedException',
    'TagCache\ProtocolException', 'TagCache\ServerException', 'TagCache\InvalidArgumentException', 'TagCache\SerializationException',
    'TagCache\ClosedException', 'TagCache\Pipeline', 'TagCache\Batch', 'TagCache\Future'], $extension->getClassNames(), 'classes');
same_set(['tagcache_create', 'tagcache_put', 'tagcache_get', 'tagcache_delete', 'tagcache_invalidate_tag', 'tagcache_keys_by_tag',
    'tagcache_bulk_get', 'tagcache_bulk_put', 'tagcache_stats', 'tagcache_flush', 'tagcache_search_any', 'tagcache_search_all', 'tagcache_close'],
    array_keys($extension->getFunctions()), 'functions');
same([], $extension->getConstants(), 'no global constants');
$class = new ReflectionClass('TagCache');
same(['VERSION' => TagCache::VERSION], $class->getConstants(), 'constants of the class');
same([], $class->getProperties(), 'no properties');
same([], $class->getInterfaceNames(), 'no interfaces');
same(false, $class->isIterable(), 'not iterable');
foreach ($extension->getClasses() as $one) {
    same(true, $one->isInternal(), "{$one->getName()} is internal");
}
// Nothing may be passed by reference, everything may be named.
$names = fn (ReflectionFunctionAbstract $function) => array_map(fn ($parameter) => $parameter->getName(), $function->getParameters());
same(['key', 'value', 'tags', 'ttl_ms'], $names($class->getMethod('set')), 'names of set');
same(['handle', 'key', 'value', 'tags', 'ttl_ms'], $names(new ReflectionFunction('tagcache_put')), 'names of tagcache_put');
foreach ([...$class->getMethods(), ...$extension->getFunctions()] as $function) {
    foreach ($function->getParameters() as $parameter) {
        same(false, $parameter->isPassedByReference(), "{$function->getName()}(\${$parameter->getName()})");
    }
}

finish();
--EXPECT--
ok
