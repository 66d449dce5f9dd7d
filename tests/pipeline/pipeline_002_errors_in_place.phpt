--TEST--
What one command can't do stands in its place; the others are not touched
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Thrower
{
    public function __unserialize(array $data): void
    {
        throw new DomainException('from the hook');
    }
}
class Gone
{
}

$cache = cache();
$cache->mSet([k('text') => 'no number', k('max') => PHP_INT_MAX, k('thrower') => new Thrower()]);
raw("PUT\t" . k('damaged') . "\t-\t-\t__TC_SERIALIZED__" . base64_encode('a:1:{i:0;'));
$got = $cache->pipeline()
    ->set(k('a'), 1)
    ->increment(k('text'))
    ->get(k('damaged'))
    ->get(k('thrower'))
    ->increment(k('max'))
    ->mGet([k('a'), k('damaged')])
    ->mAdd([k('a') => 2, k('b') => 3])
    ->get(k('a'))
    ->execute();
same(8, count($got), 'as many results as calls');
$class = fn ($value) => is_object($value) ? get_class($value) : $value;
same([true, TagCache\ServerException::class, TagCache\SerializationException::class, DomainException::class,
    TagCache\ServerException::class, TagCache\SerializationException::class, [k('a') => false, k('b') => true], 1], array_map($class, $got), 'results');
check(str_contains($got[1]->getMessage(), k('text')), 'the key stands in the message: ' . $got[1]->getMessage());
check(str_contains($got[2]->getMessage(), k('damaged')), 'the key stands in the message: ' . $got[2]->getMessage());
same('from the hook', $got[3]->getMessage(), 'of the hook');
same(PHP_INT_MAX, $cache->get(k('max')), 'nothing changed');
// Nothing is pending.
same(1, $cache->get(k('a')), 'the next call');
try {
    throw $got[4];
} catch (TagCache\ServerException $e) {
    check(true, 'it can be thrown');
}

finish();
--EXPECT--
ok
