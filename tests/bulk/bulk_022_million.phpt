--TEST--
A million keys in one call, within a bounded memory
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

const MILLION = 1_000_000;

function peak(): int
{
    preg_match('/VmHWM:\s+(\d+)/', file_get_contents('/proc/self/status'), $parts);
    return (int) $parts[1] >> 10;
}

// The arrays themselves take some 250 MB of PHP's memory.
ini_set('memory_limit', '-1');
$cache = cache(['timeout_ms' => 100_000]);
$items = [];
for ($n = 0; $n < MILLION; $n++) {
    $items[k($n)] = $n;
}
$before = peak();
same(MILLION, $cache->mSet($items, 120_000, [k('all')]), 'mSet');
// One exchange of many: a megabyte of commands and their replies, whatever the size of the call.
$used = peak() - $before;
check($used < 32, "mSet took $used MB");
$keys = array_keys($items);
$got = $cache->mGet($keys);
check($got === $items, 'mGet: every value at its key, in order');
unset($got);
$added = $cache->mAdd(array_slice($items, 0, 1000) + [k('new') => 1], 120_000, [k('all')]);
same([1001, 1], [count($added), count(array_filter($added))], 'mAdd');
same(MILLION, $cache->mDelete($keys), 'mDelete');
same(1, $cache->invalidateTag(k('all')), 'one was left');
$used = peak() - $before;
// Two arrays of a million, one of them with its keys.
check($used < 150, "all of it took $used MB");
same([0, 1], [$cache->poolStats()['in_use'], $cache->poolStats()['opened']], 'one connection');

finish();
--EXPECT--
ok
