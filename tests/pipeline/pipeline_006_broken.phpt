--TEST--
A connection that breaks midway: the results before it, one exception in the other places
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['pool_size' => 1, 'timeout_ms' => 500]);
$fill = fn () => $cache->pipeline()->set('a', 1)->set('b', 2)->increment('n')->mAdd(['x' => 1, 'y' => 2])->set('c', 3)->mDelete([]);
foreach ([
    'close:reply=%d,byte=0' => TagCache\ConnectionException::class,
    'reset:reply=%d,byte=0' => TagCache\ConnectionException::class,
    'stall:reply=%d' => TagCache\TimeoutException::class,
] as $rule => $class) {
    // Of six replies, four come: the mAdd has only the first of its two.
    $server->kick();
    $server->rule(sprintf($rule, 4) . ',times=1');
    $cache->mDelete(['x', 'y', 'n']);
    TagCache::drain();
    $server->clear();
    $server->rule(sprintf($rule, 4) . ',times=1');
    $got = $fill()->execute();
    same([true, true, 1], array_slice($got, 0, 3), "$rule: what had come");
    same($class, get_class($got[3]), "$rule: a call that was answered in part");
    same($got[3], $got[4], "$rule: the same exception");
    same(0, $got[5], "$rule: what needed no answer");
    check(str_contains($got[3]->getMessage(), '4 of 6'), "$rule: " . $got[3]->getMessage());
    $server->clear();
    at_full_capacity($cache, $rule);
}
// mAdd tells for each item.
$cache->mDelete(['m1', 'm2', 'm3']);
TagCache::drain();
$server->rule('close:reply=2,byte=0,times=1');
$got = $cache->mAdd(['m1' => 1, 'm2' => 2, 'm3' => 3]);
same([true, true, TagCache\ConnectionException::class], [$got['m1'], $got['m2'], get_class($got['m3'])], 'mAdd');
$server->clear();

// Replies that can't be trusted: nothing is given away.
TagCache::drain();
$server->rule('inject:reply=1,text=VALUE\tSTOLEN\n,times=1');
$got = $cache->pipeline()->get('a')->get('b')->get('c')->execute();
same([TagCache\ProtocolException::class], array_unique(array_map(get_class(...), $got)), 'a shifted reply');
$server->clear();
at_full_capacity($cache, 'a shifted reply');

finish();
--EXPECT--
ok
