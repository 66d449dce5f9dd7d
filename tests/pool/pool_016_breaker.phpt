--TEST--
A server that cannot be reached costs one call the time to connect, the others fail at once
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$on = fn (array $more = []): TagCache => $server->cache(['connect_timeout_ms' => 300, 'timeout_ms' => 5000, 'connect_backoff_ms' => 2000] + $more);
$cache = $on();
$page = function (TagCache $cache): array {
    $start = hrtime(true);
    $outcomes = array_map(fn () => timed(fn () => $cache->get('k'))[0], range(1, 20));
    return [array_map(get_debug_type(...), $outcomes), end($outcomes), (hrtime(true) - $start) / 1e6];
};
same([null, null, 0], array_map(fn ($name) => $cache->poolStats()[$name], ['unreachable_ms', 'next_try_ms', 'connects_skipped']), 'at first');

// Swallowed packets: a page with 20 gets waits once. The try begins a moment after the call.
$server->rule('blackhole');
[$types, $last, $ms] = $page($cache);
same([TagCache\TimeoutException::class, ...array_fill(0, 19, TagCache\ConnectionException::class)], $types, 'one waits, the others do not');
check($ms < 450, "the page took $ms ms");
same("127.0.0.1:$server->port", $last->getPeer(), 'getPeer');
foreach (['timed out', 'this call did not try', 'the next try is due in'] as $part) {
    check(str_contains($last->getMessage(), $part), "\"$part\": " . $last->getMessage());
}
$stats = $cache->poolStats();
same([1, 19, 0], [$stats['connect_failures'], $stats['connects_skipped'], $stats['in_use']], 'counted apart');
check($stats['unreachable_ms'] >= 290 && $stats['unreachable_ms'] < 1000, "since: $stats[unreachable_ms]");
check($stats['next_try_ms'] > 100 && $stats['next_try_ms'] <= 310, "next try: $stats[next_try_ms]");
check(preg_match('/^tagcache_server_unreachable\{server="127.0.0.1:' . $server->port . '",[^}]+\} 1$/m', TagCache::metrics()) === 1, 'a gauge');
check(preg_match('/^tagcache_connects_skipped_total\{[^}]+\} 19$/m', TagCache::metrics()) === 1, 'a counter');

// It belongs to the server, not to the pool: a larger one knows as well, and so do a pipeline and a batch.
$other = $on(['pool_size' => 5]);
foreach ([
    'another pool' => fn () => $other->get('k'),
    'a pipeline' => fn () => $other->pipeline()->get('k')->execute(),
    'a batch' => function () use ($other): void {
        $batch = $other->batch();
        $batch->get('k');
        $batch->send();
    },
] as $what => $call) {
    $thrown = throws(TagCache\ConnectionException::class, $call, $what, 'did not try');
}
same([0, 3], [$other->poolStats()['connect_failures'], $other->poolStats()['connects_skipped']], 'another pool');

// A forked child begins anew, and its parent does not notice.
$pid = pcntl_fork();
if ($pid === 0) {
    [$types, $last, $ms] = $page($cache);
    exit($types[0] === TagCache\TimeoutException::class && $types[1] === TagCache\ConnectionException::class && $ms < 450 ? 0 : 1);
}
pcntl_waitpid($pid, $status);
same(0, pcntl_wexitstatus($status), 'the child has a breaker of its own');

// Back: found at the next try, and everybody goes on.
$server->clear();
check(eventually(fn () => timed(fn () => $cache->set('k', 1))[0] === true, 3), 'it is found when it is back');
same(1, $other->get('k'), 'by all');
same([null, null], [$cache->poolStats()['unreachable_ms'], $other->poolStats()['next_try_ms']], 'closed');
check(preg_match('/^tagcache_server_unreachable\{[^}]+\} 0$/m', TagCache::metrics()) === 1, 'the gauge is back');
at_full_capacity($cache, 'at the end');
at_full_capacity($other, 'at the end');

// A connection that is there is used.
$server->rule('refuse');
$third = $on(['pool_size' => 7]);
throws(TagCache\ConnectionException::class, fn () => $third->get('k'), 'refused', 'refused');
throws(TagCache\ConnectionException::class, fn () => $third->get('k'), 'refused', 'refused', 'did not try');
same(1, $cache->get('k'), 'a connection that is there');
$server->accept();

// 0: each call tries, by whichever way it is given.
$port = closed_port();
foreach ([
    'array' => fn () => new TagCache(['port' => $port, 'connect_backoff_ms' => 0]),
    'DSN' => fn () => new TagCache("tagcache://127.0.0.1:$port?connect_backoff_ms=0"),
    'INI setting' => function () use ($port): TagCache {
        ini_set('tagcache.connect_backoff_ms', '0');
        $cache = new TagCache(['port' => $port]);
        ini_restore('tagcache.connect_backoff_ms');
        return $cache;
    },
] as $what => $make) {
    $cache = $make();
    for ($n = 0; $n < 5; $n++) {
        $thrown = throws(TagCache\ConnectionException::class, fn () => $cache->get('k'), $what, 'refused');
        check(!str_contains($thrown->getMessage(), 'did not try'), $what . $thrown->getMessage());
    }
}
same([15, 0, null], [$cache->poolStats()['connect_failures'], $cache->poolStats()['connects_skipped'], $cache->poolStats()['unreachable_ms']], 'and tells nobody');
foreach ([-1, 60_001, 'soon'] as $wrong) {
    throws(TagCache\InvalidArgumentException::class, fn () => new TagCache(['connect_backoff_ms' => $wrong]), show($wrong), 'connect_backoff_ms', '0 to 60000');
}

finish();
--EXPECT--
ok
