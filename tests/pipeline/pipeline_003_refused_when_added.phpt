--TEST--
What can't be sent is refused by the call that adds it, and adds nothing
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Refuser
{
    public function __serialize(): array
    {
        throw new LogicException('not me');
    }
}

$server = new Fault();
$cache = $server->cache();
$pipeline = $cache->pipeline()->set('first', 1);
$invalid = TagCache\InvalidArgumentException::class;
$refused = [
    [TagCache\SerializationException::class, fn () => $pipeline->set('k', fn () => 1)],
    [TagCache\SerializationException::class, fn () => $pipeline->set('k', [STDIN])],
    [LogicException::class, fn () => $pipeline->add('k', new Refuser())],
    [TagCache\SerializationException::class, fn () => $pipeline->mSet(['a' => 1, 'b' => fn () => 1])],
    [$invalid, fn () => $pipeline->get("a\nb")],
    [$invalid, fn () => $pipeline->mGet(['fine', 'fine', ''])],
    [$invalid, fn () => $pipeline->mDelete(['fine', []])],
    [$invalid, fn () => $pipeline->set('k', 1, ['a,b'])],
    [$invalid, fn () => $pipeline->set('k', 1, [], 0)],
    [$invalid, fn () => $pipeline->mSet(['k' => 1], -1)],
    [$invalid, fn () => $pipeline->decrement('k', PHP_INT_MIN)],
    [$invalid, fn () => $pipeline->invalidateTags(['a'], 'some')],
    [$invalid, fn () => $pipeline->mSetItems(['a' => ['value' => 1], 'b' => 5])],
    [TypeError::class, fn () => $pipeline->get([])],
    [TypeError::class, fn () => $pipeline->mGet('a')],
    [ArgumentCountError::class, fn () => $pipeline->set('k')],
];
foreach ($refused as $n => [$class, $call]) {
    throws($class, $call, "call $n");
    same(1, count($pipeline), "call $n added nothing");
}
same([], $server->log(), 'nothing was sent');
same(0, $cache->poolStats()['opened'], 'no connection either');
same([true, 1], $pipeline->get('first')->execute(), 'what was added before goes');
same(["PUT\tfirst\t-\t-\t1", "GET\tfirst"], $server->commands(), 'and nothing else');

finish();
--EXPECT--
ok
