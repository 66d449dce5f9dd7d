--TEST--
Signals during a call do not break it, and handlers run
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault(['delay:ms=300,verb=GET']);
$cache = $server->cache(['timeout_ms' => 3000]);
$cache->set('a', 'A');
pcntl_async_signals(true);
$signals = 0;
pcntl_signal(SIGUSR1, function () use (&$signals, $cache) {
    $signals++;
});
$storm = 'n=0; while [ $n -lt 60 ]; do kill -USR1 ' . getmypid() . '; sleep 0.01; n=$((n + 1)); done';
$shell = proc_open(['sh', '-c', $storm], [], $pipes);
[$outcome, $ms] = timed(fn () => $cache->get('a'));
same('A', $outcome, 'get under a storm of signals');
check($ms >= 298, "it waited for its reply: $ms ms");
$server->clear();
$server->rule('silent');
[$outcome, $ms] = timed(fn () => $server->cache(['timeout_ms' => 200])->get('a'));
same(TagCache\TimeoutException::class, get_debug_type($outcome), 'a timeout under a storm of signals');
check($ms < 300, "the signals do not put it off: $ms ms");
proc_close($shell);
check($signals > 0, 'the handler ran');
$server->clear();
// A handler that uses the cache.
$got = null;
pcntl_signal(SIGUSR1, function () use (&$got, $cache) {
    $got = $cache->get('a');
});
send_signal(getmypid(), SIGUSR1);
usleep(1000);
same('A', $got, 'a handler that uses the cache');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
