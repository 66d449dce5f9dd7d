--TEST--
Keys that the protocol cannot carry are refused everywhere, with byte and offset, before anything is sent
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache();
$cache->set('a', 'kept');
$server->commands();
$bad = [
    ['', 'empty', null],
    ["\t", 'TAB', 0], ["a\tb", 'TAB', 1], ["ab\t", 'TAB', 2],
    ["\n", 'line feed', 0], ["a\nFLUSH", 'line feed', 1], ["abc\n", 'line feed', 3],
    ["\r", 'carriage return', 0], ["a\rb", 'carriage return', 1], ["abc\r", 'carriage return', 3],
    ["\0", 'NUL', 0], ["ab\0c", 'NUL', 2], ["abc\0", 'NUL', 3],
    ["\xff", 'UTF-8', 0], ["ab\xffc", 'UTF-8', 2], ["é\xc3", 'UTF-8', 2], ["\xed\xa0\x80", 'UTF-8', 0], ["\xc0\xaf", 'UTF-8', 0],
    [str_repeat('x', 5000) . "\n", 'line feed', 5000],
];
$class = TagCache\InvalidArgumentException::class;
foreach ($bad as [$key, $reason, $offset]) {
    $calls = [
        'set' => fn () => $cache->set($key, 1),
        'add' => fn () => $cache->add($key, 1),
        'get' => fn () => $cache->get($key),
        'get with a default' => fn () => $cache->get($key, 'default'),
        'has' => fn () => $cache->has($key),
        'delete' => fn () => $cache->delete($key),
        'increment' => fn () => $cache->increment($key),
        'decrement' => fn () => $cache->decrement($key),
        'mGet' => fn () => $cache->mGet(['a', $key, 'b']),
        'mSet' => fn () => $cache->mSet(['a' => 1, $key => 2, 'b' => 3]),
        'mDelete' => fn () => $cache->mDelete(['a', $key, 'b']),
        'mAdd' => fn () => $cache->mAdd(['a' => 1, $key => 2]),
        'mSetItems' => fn () => $cache->mSetItems(['a' => ['value' => 1], $key => ['value' => 2]]),
        'remember' => fn () => $cache->remember($key, fn () => check(false, 'nothing is made for a bad key')),
    ];
    foreach (['pipeline' => $cache->pipeline(), 'batch' => $cache->batch()] as $kind => $to) {
        $calls += [
            "$kind set" => fn () => $to->set($key, 1), "$kind add" => fn () => $to->add($key, 1), "$kind get" => fn () => $to->get($key),
            "$kind has" => fn () => $to->has($key), "$kind delete" => fn () => $to->delete($key),
            "$kind increment" => fn () => $to->increment($key), "$kind decrement" => fn () => $to->decrement($key),
            "$kind mGet" => fn () => $to->mGet(['a', $key]), "$kind mSet" => fn () => $to->mSet(['a' => 1, $key => 2]),
            "$kind mDelete" => fn () => $to->mDelete(['a', $key]), "$kind mAdd" => fn () => $to->mAdd(['a' => 1, $key => 2]),
            "$kind mSetItems" => fn () => $to->mSetItems([$key => ['value' => 1]]),
        ];
    }
    foreach ($calls as $name => $call) {
        $what = "$name of " . show($key);
        $thrown = throws($class, $call, $what, 'key', $reason);
        if ($offset !== null && $thrown !== null) {
            check(preg_match("/\\b$offset\\b/", $thrown->getMessage()) === 1, "$what: offset $offset in " . $thrown->getMessage());
        }
        check($thrown instanceof InvalidArgumentException && $thrown instanceof TagCache\Exception, "$what: kinds");
    }
    $functions = [
        'tagcache_put' => [false, fn () => tagcache_put($cache, $key, 1)],
        'tagcache_get' => [null, fn () => tagcache_get($cache, $key)],
        'tagcache_delete' => [false, fn () => tagcache_delete($cache, $key)],
        'tagcache_bulk_get' => [[], fn () => tagcache_bulk_get($cache, ['a', $key])],
        'tagcache_bulk_put' => [0, fn () => tagcache_bulk_put($cache, ['a' => 1, $key => 2])],
    ];
    foreach ($functions as $name => [$failure, $call]) {
        same($failure, raises(E_WARNING, $call, $name, $reason), "$name of " . show($key));
    }
}
same([], $server->log(), 'nothing reached the server');
same('kept', $cache->get('a'), 'what was stored is unchanged');

finish();
--EXPECT--
ok
