--TEST--
remember() waits for another machine, not for ever, and its lock opens no other
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';
require_once __DIR__ . '/../inc/fault.inc';

$cache = cache();
$key = k('a');

// Somebody else's lock, who never comes back.
raw("ADD\t$key~lock\t60000\tsomebody\t1");
[$value, $ms] = timed(fn () => $cache->remember($key, fn () => 'mine', [], null, ['wait_ms' => 300]));
same('mine', $value, 'made all the same');
check($ms >= 300 && $ms < 1500, "after the wait ($ms ms)");
same(true, $cache->has("$key~lock"), 'the lock of the other is untouched');
$cache->delete($key);
[$value, $ms] = timed(fn () => $cache->remember($key, fn () => 'mine', [], null, ['wait_ms' => 0]));
check($value === 'mine' && $ms < 200, "no wait wanted ($ms ms)");
$cache->delete($key);

// A lock whose time ends.
raw("DEL\t$key~lock", "ADD\t$key~lock\t200\tsomebody\t1");
[$value, $ms] = timed(fn () => $cache->remember($key, fn () => 'mine', [], null, ['wait_ms' => 10_000]));
check($value === 'mine' && $ms >= 150 && $ms < 2000, "made when the lock has expired ($ms ms)");
$cache->delete($key);

// The value comes while we wait.
raw("ADD\t$key~lock\t60000\tsomebody\t1");
$process = proc_open([PHP_BINARY, '-n', '-r', 'usleep(200000); $s = stream_socket_client("tcp://' . implode(':', address()) . '");
    fwrite($s, "PUT\t' . $key . '\t-\t-\ttheirs\n"); fgets($s);'], [], $pipes);
[$value, $ms] = timed(fn () => $cache->remember($key, fn () => 'mine', [], null, ['wait_ms' => 10_000]));
proc_close($process);
same('theirs', $value, 'what the other has made');
check($ms < 3000, "soon ($ms ms)");
raw("INV_TAG\tsomebody");
$cache->delete($key);

// Whose time was over does not open the lock of the next.
$cache->remember($key, function () use ($key, $cache) {
    usleep(120_000);
    same(['ADDED'], raw("ADD\t$key~lock\t60000\tnext\t1"), 'our lock has expired, the next one has it');
    return 1;
}, [], null, ['lock_ms' => 50]);
same(true, $cache->has("$key~lock"), 'and keeps it');
raw("INV_TAG\tnext");

// An answer that does not come leaves no lock behind: nobody would give it back.
$server = new Fault();
$slow = $server->cache(['timeout_ms' => 300]);
$server->rule('stall:reply=*,verb=ADD');
throws(TagCache\TimeoutException::class, fn () => $slow->remember('k', fn () => 1, [], null, ['lock_ms' => 60_000]), 'the lock gets no answer');
$server->clear();
same(false, $slow->has('k~lock'), 'it was given back');
[$value, $ms] = timed(fn () => $slow->remember('k', fn () => 2));
check($value === 2 && $ms < 200, "the next one need not wait ($ms ms)");

finish();
--EXPECT--
ok
