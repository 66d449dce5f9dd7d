--TEST--
What __serialize and __unserialize throw reaches the caller, and nothing is half done
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Boom extends Exception
{
}

class BadOut
{
    public function __serialize(): array
    {
        throw new Boom('out');
    }
}

class BadIn
{
    public static bool $armed = false;

    public function __serialize(): array
    {
        return ['x' => 1];
    }

    public function __unserialize(array $data): void
    {
        if (self::$armed) {
            throw new Boom('in');
        }
    }
}

$server = new Fault();
$cache = $server->cache();
$cache->set('before', 'stays');
$server->commands();
throws(Boom::class, fn () => $cache->set('a', new BadOut()), 'set', 'out');
throws(Boom::class, fn () => $cache->set('a', [1, [new BadOut()]]), 'set of an array', 'out');
throws(Boom::class, fn () => $cache->add('a', new BadOut()), 'add', 'out');
throws(Boom::class, fn () => $cache->mSet(['a' => 1, 'b' => new BadOut(), 'c' => 3]), 'mSet', 'out');
throws(Boom::class, fn () => tagcache_put($cache, 'a', new BadOut()), 'tagcache_put', 'out');
throws(Boom::class, fn () => tagcache_bulk_put($cache, ['a' => 1, 'b' => new BadOut()]), 'tagcache_bulk_put', 'out');
same([], $server->commands(), 'nothing of it reached the server');

$cache->set('bad', new BadIn());
$cache->set('fine', [1]);
BadIn::$armed = true;
throws(Boom::class, fn () => $cache->get('bad'), 'get', 'in');
throws(Boom::class, fn () => $cache->get('bad', 'default'), 'get with a default', 'in');
throws(Boom::class, fn () => $cache->mGet(['fine', 'bad', 'fine']), 'mGet', 'in');
throws(Boom::class, fn () => tagcache_get($cache, 'bad'), 'tagcache_get', 'in');
throws(Boom::class, fn () => tagcache_bulk_get($cache, ['bad']), 'tagcache_bulk_get', 'in');
same(true, $cache->has('bad'), 'has() does not make the value');
same([1], $cache->get('fine'), 'it works on');
same('stays', $cache->get('before'), 'what was stored stays');
BadIn::$armed = false;
same(BadIn::class, get_class($cache->get('bad')), 'and can be read when it does not throw');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
