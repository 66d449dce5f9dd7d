--TEST--
However the callback of remember() ends, the next caller can make the value
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$cache = cache();
$key = k('a');
$free = function (string $what) use ($cache, &$key): void {
    same(false, $cache->has("$key~lock"), "$what: no lock is left");
    [$value, $ms] = timed(fn () => $cache->remember($key, fn () => 'next', [], null, ['wait_ms' => 3000]));
    same('next', $value, "$what: the next one makes it");
    check($ms < 1000, "$what: at once ($ms ms)");
    same(0, $cache->poolStats()['in_use'], "$what: no connection is out");
    $cache->delete($key);
};

throws(DomainException::class, fn () => $cache->remember($key, fn () => throw new DomainException('mine')), 'its exception comes through', 'mine');
$free('an exception');
throws(TagCache\SerializationException::class, fn () => $cache->remember($key, fn () => fn () => 1), 'a closure as the value');
$free('a value that cannot be stored');
$other = cache();
throws(TagCache\ClosedException::class, fn () => $other->remember($key, function () use ($other) {
    $other->close();
    return 1;
}), 'a callback that closes the handle');
$free('a closed handle');
$fiber = new Fiber(fn () => $cache->remember($key, function () {
    Fiber::suspend();
    return 'late';
}));
$fiber->start();
same('mine', $cache->remember($key, fn () => 'mine'), 'another fiber of the thread does not wait for ever');
$fiber->resume();
same('late', $fiber->getReturn(), 'the first fiber ends as if nothing was');
$cache->delete($key);
$free('a fiber');
$fiber = new Fiber(fn () => $cache->remember($key, fn () => Fiber::suspend()));
$fiber->start();
unset($fiber);
gc_collect_cycles();
$free('a fiber that is dropped in the callback');

foreach ([
    'exit' => 'exit(3);',
    'an uncaught exception' => 'throw new Exception("x");',
    'memory_limit' => '$a = str_repeat("x", 1 << 30);',
    'a fatal error' => 'class_alias("Missing", "B"); eval("class C extends Missing2 {}"); eval("function address() {}");',
] as $what => $code) {
    $outcome = run_php('$cache = cache(); $cache->remember($argv[1], function () { echo "in"; ' . $code . ' }); echo "after";',
        [$key], ['memory_limit' => '64M']);
    same('in', substr($outcome->output, 0, 2), "$what: the callback ran: $outcome->errors");
    check(!str_contains($outcome->output, 'after') && $outcome->code > 0, "$what: and ended the script");
    $free($what);
}

// A callback that forks: only the parent's end is an end.
if (function_exists('pcntl_fork')) {
    $value = $cache->remember($key, function () use ($key) {
        $pid = pcntl_fork();
        if ($pid === 0) {
            return 'child';
        }
        pcntl_waitpid($pid, $status);
        check(cache()->has("$key~lock"), "the child did not give the parent's lock back");
        return 'parent';
    });
    if ($value === 'child') {
        exit(0);
    }
    same('parent', $value, 'the parent goes on');
    $cache->delete($key);
    $free('a fork');
}

// A value that was made is not lost with the cache.
$server = new Fault();
$gone = $server->cache(['timeout_ms' => 300]);
$value = raises(E_WARNING, fn () => $gone->remember('a', function () use ($server) {
    $server->stop();
    return 'dear';
}), 'the server has gone meanwhile');
same('dear', $value, 'the value is returned');
throws(TagCache\ConnectionException::class, fn () => $gone->remember('a', fn () => 1), 'a cache that cannot be read');

finish();
--EXPECT--
ok
