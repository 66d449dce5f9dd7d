--TEST--
Handles in generators and fibers
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 1]);
$cache->mSet(['a' => 1, 'b' => 2, 'c' => 3]);
$walk = function () use ($cache) {
    foreach (['a', 'b', 'c'] as $key) {
        yield $key => $cache->get($key);
    }
};
same(['a' => 1, 'b' => 2, 'c' => 3], iterator_to_array($walk()), 'a generator');

// __unserialize suspends the fiber: no connection may be held meanwhile.
class Pauser
{
    public $got;

    public function __serialize(): array
    {
        if (Fiber::getCurrent()) {
            Fiber::suspend('serializing');
        }
        return ['x' => 1];
    }

    public function __unserialize(array $data): void
    {
        $this->got = Fiber::getCurrent() ? Fiber::suspend('unserializing') : null;
    }
}
$cache->set('p', new Pauser());
// One at a time: PHP's own unserialize() mixes up several that wait in their hooks.
for ($n = 0; $n < 20; $n++) {
    $fiber = new Fiber(function () use ($cache, $n) {
        $got = $cache->get('p');
        $cache->set("q$n", [new Pauser(), $n]);
        return [$got->got, $cache->mGet(['a', "q$n"])["q$n"][1]];
    });
    same('unserializing', $fiber->start(), "fiber $n waits in __unserialize");
    same(1, $cache->get('a'), 'while the pool of one serves others');
    same('serializing', $fiber->resume("answer $n"), "fiber $n goes on to __serialize");
    same(['b' => 2, 'c' => 3], $cache->mGet(['b', 'c']), 'while the pool of one serves others');
    same('unserializing', $fiber->resume(), "fiber $n reads what it wrote");
    $fiber->resume();
    same(["answer $n", $n], $fiber->getReturn(), "fiber $n got its own");
}
// Fibers that are dropped while they wait.
$fiber = new Fiber(fn () => $cache->mGet(['a', 'p', 'b']));
$fiber->start();
unset($fiber);
gc_collect_cycles();
at_full_capacity($cache, 'at the end');
same(1, $server->stats()['peers_total'], 'one connection did it all');

finish();
--EXPECT--
ok
