--TEST--
A session is locked while it is open, and only then
--SKIPIF--
<?php if (!extension_loaded('session') || !function_exists('pcntl_fork')) die('skip needs session and pcntl'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions();
$cache = cache();
$id = new_id();

// Nobody's update is lost.
in_session($id, fn () => $_SESSION['n'] = 0);
$children = [];
for ($child = 0; $child < 8; $child++) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        for ($n = 0; $n < 10; $n++) {
            in_session($id, function () {
                $before = $_SESSION['n'];
                usleep(500);
                $_SESSION['n'] = $before + 1;
            });
        }
        exit(0);
    }
    $children[] = $pid;
}
foreach ($children as $pid) {
    pcntl_waitpid($pid, $status);
    same(0, $status, 'a child');
}
in_session($id, fn () => same(80, $_SESSION['n'], 'eighty increments by eight processes'));

// Waiting, and giving up.
raw("ADD\tsession:$id~lock\t400\tsomebody\t1");
[, $ms] = timed(fn () => in_session($id, fn () => null));
check($ms >= 300 && $ms < 3000, "waits for the lock ($ms ms)");
raw("ADD\tsession:$id~lock\t60000\tsomebody\t1");
ini_set('tagcache.session_lock_wait_ms', '100');
session_id($id);
$warnings = [];
set_error_handler(function (int $level, string $message) use (&$warnings): bool {
    $warnings[] = $message;
    return true;
});
[$started, $ms] = timed(fn () => session_start());
restore_error_handler();
same(false, $started, 'gives up');
check($ms >= 100 && $ms < 1500, "in time ($ms ms)");
check(str_contains($warnings[0] ?? '', '100 ms (tagcache.session_lock_wait_ms)'), 'says why: ' . show($warnings));
same(true, $cache->has("session:$id~lock"), "the other's lock is untouched");
ini_restore('tagcache.session_lock_wait_ms');
raw('INV_TAG	somebody');

// A lock that was lost: no write over what somebody else has done meanwhile.
ini_set('tagcache.session_lock_ms', '50');
session_id($id);
session_start();
usleep(100_000);
raw("ADD\tsession:$id~lock\t60000\tsomebody\t1", "PUT\tsession:$id\t60000\t-\tn|i:99;");
$_SESSION['n'] = 5;
$warnings = [];
set_error_handler(function (int $level, string $message) use (&$warnings): bool {
    $warnings[] = $message;
    return true;
});
session_write_close();
restore_error_handler();
check(str_contains($warnings[0] ?? '', '50 ms (tagcache.session_lock_ms)'), 'said so: ' . show($warnings));
same(true, $cache->has("session:$id~lock"), "the other's lock is untouched");
raw('INV_TAG	somebody');
ini_restore('tagcache.session_lock_ms');
in_session($id, fn () => same(99, $_SESSION['n'], 'what the other wrote'));
// A long one that nobody else wanted is written.
ini_set('tagcache.session_lock_ms', '60000');

// read_and_close needs the lock for a moment only.
session_id($id);
session_start(['read_and_close' => true]);
same([99, false], [$_SESSION['n'], $cache->has("session:$id~lock")], 'read_and_close');

// Without locking there is none.
ini_set('tagcache.session_locking', '0');
raw("ADD\tsession:$id~lock\t60000\tsomebody\t1");
[, $ms] = timed(fn () => in_session($id, fn () => $_SESSION['n'] = 7));
check($ms < 1000, "does not wait ($ms ms)");
raw('INV_TAG	somebody');

// However a script ends, the lock goes, and the session is written if PHP writes it.
foreach (['exit' => 'exit(1);', 'exception' => 'throw new Exception("x");', 'fatal' => 'str_repeat("x", 1 << 30);'] as $what => $code) {
    run_php('session_id($argv[1]); session_start(); $_SESSION["by"] = ' . var_export($what, true) . ";$code", [$id],
        session_settings(['memory_limit' => '64M']));
    same(false, $cache->has("session:$id~lock"), "$what: no lock");
    same("by|s:" . strlen($what) . ":\"$what\";", strstr($cache->get("session:$id"), 'by|'), "$what: written");
}

finish();
--EXPECT--
ok
