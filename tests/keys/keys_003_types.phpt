--TEST--
Keys are strings, with PHP's usual coercions, and nothing else
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

final class Named
{
    public function __construct(private string $name)
    {
    }

    public function __toString(): string
    {
        return $this->name;
    }
}

$cache = cache();
// Keys that are numbers cannot have a prefix in front: a number by chance instead.
$number = random_int(1 << 40, 1 << 50);
same(true, $cache->set($number, 'int'), 'set of an int');
same('int', $cache->get((string) $number), 'is its digits');
same(true, $cache->has($number), 'has of an int');
same([$number => 'int'], $cache->mGet([$number]), 'mGet of an int');
same([$number => 'int'], $cache->mGet([(string) $number]), 'mGet of its digits');
same(1, $cache->mSet([$number => 'int again']), 'mSet');
same('int again', $cache->get($number), 'get');
same(1, $cache->mDelete([$number]), 'mDelete');
same(true, $cache->set(new Named(k('named')), 1), 'set of a Stringable');
same(1, $cache->get(k('named')), 'is its string');
same(true, $cache->set($number + 0.5, 'float'), 'set of a float');
same('float', $cache->get((string) ($number + 0.5)), 'is its string');
$cache->delete((string) ($number + 0.5));

foreach (['an array' => [], 'an object' => new stdClass(), 'a resource' => STDIN] as $what => $key) {
    throws(TypeError::class, fn () => $cache->set($key, 1), "set of $what", 'string');
    throws(TypeError::class, fn () => $cache->get($key), "get of $what", '$key');
    throws(TypeError::class, fn () => $cache->has($key), "has of $what");
    throws(TypeError::class, fn () => $cache->delete($key), "delete of $what");
    throws(TypeError::class, fn () => $cache->add($key, 1), "add of $what");
    throws(TypeError::class, fn () => $cache->increment($key), "increment of $what");
    throws(TypeError::class, fn () => $cache->keysByTag($key), "keysByTag of $what");
    throws(TypeError::class, fn () => $cache->invalidateTag($key), "invalidateTag of $what");
    throws(TypeError::class, fn () => tagcache_get($cache, $key), "tagcache_get of $what", 'string');
}
foreach (['null' => null, 'a float' => 1.5, 'true' => true, 'an array' => [1], 'an object' => new stdClass()] as $what => $key) {
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->mGet([k('a'), $key]), "mGet with $what", '$keys', 'element 1');
    throws(TagCache\InvalidArgumentException::class, fn () => $cache->mDelete([k('a'), $key]), "mDelete with $what", '$keys', 'element 1');
    same([], raises(E_WARNING, fn () => tagcache_bulk_get($cache, [$key]), "tagcache_bulk_get with $what", 'element 0'),
        "tagcache_bulk_get with $what");
}
throws(TypeError::class, fn () => $cache->mGet('a'), 'mGet of a string', 'array');
throws(TypeError::class, fn () => $cache->mSet('a'), 'mSet of a string', 'array');
throws(TypeError::class, fn () => $cache->mDelete(null), 'mDelete of null', 'array');
throws(TypeError::class, fn () => $cache->set(k('a'), 1, 'tag'), 'tags as a string', 'array');
throws(TypeError::class, fn () => $cache->set(k('a'), 1, null), 'tags as null', 'array');
throws(TypeError::class, fn () => $cache->set(k('a'), 1, [], 'soon'), 'a ttl that is no number', 'int');
throws(TypeError::class, fn () => $cache->set(k('a'), 1, [], []), 'a ttl that is an array', 'int');
throws(TypeError::class, fn () => $cache->increment(k('a'), 'much'), 'a step that is no number', 'int');
throws(TypeError::class, fn () => $cache->increment(k('a'), 1, null, 'tag'), 'tags as a string');
same(true, $cache->set(k('a'), 1, [], '60000'), 'a ttl of digits');
same(6, $cache->increment(k('a'), '5'), 'a step of digits');
// null for a string: deprecated as with every function of PHP's own, then refused as empty.
$thrown = null;
raises(E_DEPRECATED, function () use ($cache, &$thrown) {
    try {
        $cache->get(null);
    } catch (TagCache\InvalidArgumentException $thrown) {
    }
}, 'a key of null');
same(TagCache\InvalidArgumentException::class, $thrown ? get_class($thrown) : null, 'a key of null is an empty one');

finish();
--EXPECT--
ok
