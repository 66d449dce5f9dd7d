--TEST--
A pipeline has the options its handle had, whatever becomes of the handle
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$pipeline = $cache->pipeline()->set('a', 1);
$cache->close();
same([true, 1], $pipeline->get('a')->execute(), 'of a handle that was closed');
throws(TagCache\ClosedException::class, fn () => $cache->pipeline(), 'a closed handle makes none');
throws(TagCache\ClosedException::class, fn () => $cache->batch(), 'no batch either');

// Made anew with another server: the pipeline stays with the first.
$cache = $server->cache();
$pipeline = $cache->pipeline()->get('a');
$cache->__construct(['host' => '127.0.0.1', 'port' => closed_port()]);
same([1], $pipeline->execute(), 'of a handle that was made anew');
same([1], $server->cache()->pipeline()->get('a')->execute(), 'of a handle that is gone');
$pipeline = $server->cache()->pipeline();
gc_collect_cycles();
same([1], $pipeline->get('a')->execute(), 'of one that went before');

foreach ([TagCache\Pipeline::class, TagCache\Batch::class, TagCache\Future::class] as $class) {
    throws(Error::class, fn () => new $class(), "new $class");
    $reflection = new ReflectionClass($class);
    check($reflection->isFinal() && !$reflection->isCloneable(), "$class is final and can't be cloned");
    throws(ReflectionException::class, fn () => $reflection->newInstanceWithoutConstructor(), "$class without its constructor");
}
$batch = $server->cache()->batch();
foreach ([$pipeline, $batch, $batch->get('a')] as $object) {
    throws(Error::class, fn () => clone $object, 'clone');
    throws(Exception::class, fn () => serialize($object), 'serialize');
    throws(Error::class, fn () => $object->dynamic = 1, 'a property');
}

finish();
--EXPECT--
ok
