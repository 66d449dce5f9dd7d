--TEST--
Lazy objects are made when they are stored, and what they hold is looked at
--SKIPIF--
<?php
if (PHP_VERSION_ID < 80400) {
    die('skip PHP has lazy objects since 8.4');
}
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Point
{
    public mixed $x = 1;
    private mixed $y = 2;

    public function __construct(mixed $x = 5, mixed $y = 6)
    {
        [$this->x, $this->y] = [$x, $y];
    }
}

$server = new Fault();
$class = TagCache\SerializationException::class;
$reflection = new ReflectionClass(Point::class);
$made = 0;
$ghost = function (mixed ...$with) use ($reflection, &$made) {
    return $reflection->newLazyGhost(function (Point $point) use ($with, &$made) {
        $made++;
        $point->__construct(...$with);
    });
};
$proxy = fn (mixed ...$with) => $reflection->newLazyProxy(fn () => new Point(...$with));
foreach (['php', 'igbinary'] as $name) {
    $cache = $server->cache(['serializer' => $name]);
    foreach (['ghost' => $ghost, 'proxy' => $proxy] as $kind => $make) {
        $cache->set('a', [$make(7, [8])]);
        alike([new Point(7, [8])], $cache->get('a'), "$name: a $kind");
        $known = $make(9);
        same(9, $known->x, "a $kind that is made");
        $cache->set('a', $known);
        alike(new Point(9), $cache->get('a'), "$name: a $kind that is made");
        $server->commands();
        throws($class, fn () => $cache->set('a', [$make(STDIN)]), "$name: a resource in a $kind", 'resource');
        $known = $make(1, [STDIN]);
        same(1, $known->x, "a $kind that is made");
        throws($class, fn () => $cache->set('a', $known), "$name: a resource in a $kind that is made", 'resource');
        same([], $server->commands(), 'nothing reached the server');
    }
}
$made = 0;
$server->cache()->set('a', $ghost(1));
same(1, $made, 'made once');
throws(DomainException::class, fn () => $server->cache()->set('a', $reflection->newLazyGhost(fn () => throw new DomainException('no'))), 'what it throws', 'no');
foreach (['msgpack', 'json'] as $name) {
    throws($class, fn () => $server->cache(['serializer' => $name])->set('a', [$ghost(1)]), $name, 'Point');
}

finish();
--EXPECT--
ok
