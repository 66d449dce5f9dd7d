--TEST--
A subclass may add to the class and override it
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

final class Logged extends TagCache
{
    public array $log = [];
    private string $prefix;

    public function __construct(string $prefix, array $options)
    {
        parent::__construct($options);
        $this->prefix = $prefix;
    }

    public function get(string $key, mixed $default = null): mixed
    {
        $this->log[] = $key;
        return parent::get($this->prefix . $key, $default);
    }

    public function set(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): bool
    {
        return parent::set($this->prefix . $key, $value, $tags, $ttl_ms);
    }

    public static function create(array|string|null $options = null): static
    {
        return new static('static:', $options);
    }
}

$cache = new Logged(k('p:'), address());
same(true, $cache->set('a', 1, [k('t')]), 'set');
same(1, $cache->get('a'), 'get');
same(['a'], $cache->log, 'its own property');
same(1, cache()->get(k('p:a')), 'by the plain class');
same('nothing', $cache->get('b', 'nothing'), 'a default');
same(Logged::class, get_class(Logged::create(address())), 'create overridden');
same(1, tagcache_get($cache, k('p:a')), 'the functions take a subclass, and its methods do not count there');
same(true, $cache instanceof TagCache, 'instanceof');
same(false, (new ReflectionClass('TagCache'))->isFinal(), 'not final');

finish();
--EXPECT--
ok
