--TEST--
A handle whose constructor never ran refuses everything, safely
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Lazy extends TagCache
{
    public function __construct()
    {
        // Does not call its parent.
    }

    public function late(): void
    {
        parent::__construct(address());
    }
}

class Fails extends TagCache
{
    public static ?TagCache $escaped = null;

    public function __construct()
    {
        self::$escaped = $this;
        throw new LogicException('before the parent');
    }
}

$raw = (new ReflectionClass('TagCache'))->newInstanceWithoutConstructor();
throws(LogicException::class, fn () => new Fails(), 'a constructor that throws', 'before');
$lazy = new Lazy();
// A wrong option leaves nothing half made.
$refused = (new ReflectionClass('TagCache'))->newInstanceWithoutConstructor();
throws(TagCache\InvalidArgumentException::class, fn () => $refused->__construct(['port' => 0]), 'a wrong option');
foreach (['never made' => $raw, 'escaped' => Fails::$escaped, 'a subclass without its parent' => $lazy, 'refused' => $refused] as $what => $cache) {
    $calls = [
        'set' => fn () => $cache->set('k', 1), 'get' => fn () => $cache->get('k'), 'has' => fn () => $cache->has('k'),
        'mGet' => fn () => $cache->mGet(['k']), 'mSet' => fn () => $cache->mSet(['k' => 1]), 'increment' => fn () => $cache->increment('k'),
        'invalidateTags' => fn () => $cache->invalidateTags(['t']), 'stats' => fn () => $cache->stats(), 'poolStats' => fn () => $cache->poolStats(),
    ];
    foreach ($calls as $name => $call) {
        throws(TagCache\ClosedException::class, $call, "$name, $what");
    }
    same(null, $cache->close(), "close, $what");
    check(is_array($cache->__debugInfo()), "__debugInfo, $what");
    ob_start();
    var_dump($cache);
    check(strlen(ob_get_clean()) > 0, "var_dump, $what");
    same(null, raises(E_WARNING, fn () => tagcache_get($cache, 'k'), "tagcache_get, $what"), "tagcache_get, $what");
}
$late = new Lazy();
$late->late();
same(true, $late->set(k('a'), 1), 'the parent called later');
same(1, $late->get(k('a')), 'works');

finish();
--EXPECT--
ok
