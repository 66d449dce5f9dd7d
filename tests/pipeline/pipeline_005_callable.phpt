--TEST--
pipeline(callable) fills, executes and returns the results
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Filler
{
    public function fill(TagCache\Pipeline $pipeline): void
    {
        $pipeline->set('method', 1);
    }

    public static function fillStatic(TagCache\Pipeline $pipeline): string
    {
        $pipeline->set('static', 2);
        return 'what it returns does not matter';
    }
}

$server = new Fault();
$cache = $server->cache();
same([true, 5], $cache->pipeline(fn ($p) => $p->set('a', 5)->get('a')), 'a closure');
same([true], $cache->pipeline([new Filler(), 'fill']), 'a method');
same([true], $cache->pipeline('Filler::fillStatic'), 'a static method');
same([1, 2], array_values($cache->mGet(['method', 'static'])), 'what they stored');
same([], $cache->pipeline(function () {
}), 'nothing');
same(TagCache\Pipeline::class, get_class($cache->pipeline(null)), 'null is none');
$server->log();
throws(DomainException::class, fn () => $cache->pipeline(function ($p) {
    $p->set('never', 1);
    throw new DomainException('no');
}), 'one that throws');
same([], $server->log(), 'nothing was sent');
throws(TypeError::class, fn () => $cache->pipeline('no such function'), 'not callable', '$fill', 'callback');
throws(TypeError::class, fn () => $cache->pipeline(5), 'an integer', '$fill');
// Its results would be nobody's: pipeline() returned an empty list.
$server->log();
throws(TagCache\InvalidArgumentException::class, fn () => $cache->pipeline(fn ($p) => $p->get('a')->execute()), 'execute within', 'execute()', 'leave it out');
same([], $server->log(), 'nothing was sent then');
same([5], $cache->pipeline(function ($p) use (&$refused) {
    try {
        $p->get('a')->execute();
    } catch (TagCache\Exception $e) {
        $refused = $e::class;
    }
}), 'and nothing was lost');
same(TagCache\InvalidArgumentException::class, $refused, 'refused');
// The pipeline outlives the call if it is kept.
$cache->pipeline(function ($p) use (&$kept) {
    $kept = $p->set('x', 1);
});
same([1], $kept->get('x')->execute(), 'kept');
// Within itself.
same([1, [2], 3], $cache->pipeline(function ($p) use ($cache) {
    $p->increment('nest');
    $p->discard()->increment('nest');
    $inner = null;
    $p->mGet([]);
    $p->discard();
    $p->increment('one')->mDelete([])->increment('three', 3);
    $p->discard();
    $p->increment('i1')->searchAny([])->increment('i3', 3);
}) === [1, [], 3] ? [1, [2], 3] : null, 'discard within');

finish();
--EXPECT--
ok
