--TEST--
A process that is killed in a call: the server sees it go, others go on
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$keep = $server->cache();
$keep->set('kept', 'stays');
$server->rule('stall:reply=*,verb=STATS');
// AddressSanitizer takes any SIGSEGV for a fault of the program's own and reports it.
$signals = getenv('ASAN_OPTIONS') === false ? [SIGKILL, SIGTERM, SIGSEGV] : [SIGKILL, SIGTERM];
foreach ($signals as $signal) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        $cache = $server->cache(['timeout_ms' => 20_000]);
        $cache->get('kept');
        $cache->stats();
        exit(0);
    }
    check(eventually(fn () => $server->stats()['peers'] === 2), 'the child is connected');
    usleep(50_000);
    send_signal($pid, $signal);
    pcntl_waitpid($pid, $status);
    same([true, $signal], [pcntl_wifsignaled($status), pcntl_wtermsig($status)], 'ended by the signal');
    check(eventually(fn () => $server->stats()['peers'] === 1), 'the server sees it');
    same('stays', $keep->get('kept'), 'others go on');
}
at_full_capacity($keep, 'at the end');

finish();
--EXPECT--
ok
