--TEST--
TagCache::create() is new in one expression, for subclasses too
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

class Mine extends TagCache
{
    public string $mark = 'mine';
}

class Strict extends TagCache
{
    public array $seen = [];

    public function __construct(array|string|null $options = null)
    {
        parent::__construct($options);
        $this->seen = func_get_args();
    }
}

$options = address();
$cache = TagCache::create($options);
same(TagCache::class, get_class($cache), 'class');
$mine = Mine::create($options);
same(Mine::class, get_class($mine), 'a subclass makes its own kind');
same('mine', $mine->mark, 'with its properties');
$strict = Strict::create($options);
same(Strict::class, get_class($strict), 'a subclass with a constructor');
same([$options], $strict->seen, 'whose constructor ran with the options');
foreach ([$cache, $mine, $strict] as $n => $handle) {
    $handle->set(k($n), $n);
    same($n, $handle->get(k($n)), "handle $n works");
}
$dsn = "tagcache://{$options['host']}:{$options['port']}?pool_size=3";
same(3, TagCache::create($dsn)->poolStats()['size'], 'from a DSN');
same(3, TagCache::create(options: $dsn)->poolStats()['size'], 'by the name of the argument');
same(TagCache::class, get_class(TagCache::create()), 'from the INI settings alone');
same(TagCache::class, get_class(TagCache::create(null)), 'from null');
same(TagCache::class, get_class(TagCache::create([])), 'from no options');
throws(TagCache\InvalidArgumentException::class, fn () => TagCache::create(5), 'from an integer, as PHP makes it a string', 'DSN');
throws(TypeError::class, fn () => TagCache::create(tmpfile()), 'from a resource');
throws(TypeError::class, fn () => TagCache::create(new stdClass()), 'from an object');
throws(TypeError::class, fn () => new TagCache(new stdClass()), 'new from an object');
throws(TagCache\InvalidArgumentException::class, fn () => new TagCache(''), 'new from an empty string', 'DSN');
throws(ArgumentCountError::class, fn () => TagCache::create([], []), 'too much');

finish();
--EXPECT--
ok
