--TEST--
Code of the user that runs within a pipeline may use it and the cache
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Nested
{
    public static ?Closure $on_write = null;
    public static ?Closure $on_read = null;

    public function __serialize(): array
    {
        (self::$on_write)();
        return [1];
    }

    public function __unserialize(array $data): void
    {
        (self::$on_read)();
    }
}

$server = new Fault();
$cache = $server->cache(['pool_size' => 1]);
$pipeline = $cache->pipeline();
$seen = [];
Nested::$on_write = function () use ($pipeline, $cache, &$seen) {
    $pipeline->set('inner', 1);
    $seen[] = $cache->has('nobody');
};
Nested::$on_read = function () use ($pipeline, $cache, &$seen) {
    $seen[] = $cache->get('inner');
    $pipeline->get('from the hook');
};
$pipeline->set('outer', new Nested());
same(2, count($pipeline), 'both were added');
same([true, true], $pipeline->execute(), 'both are done');
same([false], $seen, 'the hook ran once');
$got = $pipeline->get('outer')->mGet(['outer', 'inner'])->execute();
same([1, 1], [get_class($got[0]) === 'Nested' ? 1 : 0, count($got) - 1], 'read');
same([false, 1, 1], $seen, 'the hook ran at each');
same(2, count($pipeline), 'what the hooks added is for the next time');
same([null, null], $pipeline->execute(), 'and goes then');

// A hook that executes or discards the very pipeline.
Nested::$on_write = function () use ($pipeline, &$seen) {
    $seen[] = $pipeline->execute();
};
$seen = [];
$pipeline->set('a', 1)->set('b', new Nested())->get('a');
same([[true]], $seen, 'executed by the hook');
same([true, 1], $pipeline->execute(), 'the rest');
// exit is not caught.
require_once __DIR__ . '/../inc/child.inc';
$out = run_php(<<<'PHP'
    class Leaver { public function __unserialize(array $data): void { echo 'leaving'; exit(3); } public function __serialize(): array { return []; } }
    $cache = new TagCache(['port' => (int) $argv[1]]);
    $cache->pipeline()->set('l', new Leaver())->get('l')->set('after', 1)->execute();
    echo 'not reached';
    PHP, [$server->port]);
same(['leaving', '', 3], [$out->output, $out->errors, $out->code], 'exit');
same(1, $cache->get('after'), 'what was sent is done');
at_full_capacity($cache, 'afterwards');

finish();
--EXPECT--
ok
