--TEST--
A request that outlasts its lock writes if nobody has changed the session meanwhile
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions(['tagcache.session_lock_ms' => '50', 'tagcache.session_lock_wait_ms' => '300']);
$cache = cache();
$somebody = k('somebody');
/** Opens the session, lets its lock run out, calls $meanwhile, changes it; returns the warnings. */
$outlast = function (string $id, ?Closure $meanwhile, ?Closure $change = null) use ($cache): array {
    session_id($id);
    check(session_start(), 'session_start');
    check(eventually(fn () => !$cache->has("session:$id~lock")), 'the lock ran out');
    $meanwhile && $meanwhile();
    $change ? $change() : $_SESSION['by'] = 'a';
    $warnings = [];
    set_error_handler(function (int $level, string $message) use (&$warnings): bool {
        $warnings[] = $message;
        return true;
    });
    session_write_close();
    restore_error_handler();
    return $warnings;
};
$stored = fn (string $id) => $cache->get("session:$id", 'gone');
$other = fn (string $id, string $code) => fn () => run_php('session_id($argv[1]); session_start();' . $code, [$id], session_settings());

// Nobody else was there.
$id = new_id();
same([], $outlast($id, null), 'a new session');
same('by|s:1:"a";', $stored($id), 'is written');
in_session($id, fn () => $_SESSION = ['n' => 1]);
same([], $outlast($id, null), 'one that was there');
same('n|i:1;by|s:1:"a";', $stored($id), 'is written');
same(false, $cache->has("session:$id~lock"), 'no lock is left');

// Somebody was, and changed nothing.
same([], $outlast($id, $other($id, ''), fn () => $_SESSION['by'] = 'b'), 'another has read');
same('n|i:1;by|s:1:"b";', $stored($id), 'it is written');
$reads = function () use ($id, $somebody): void {
    // Somebody who still reads: wait for him.
    raw("ADD\tsession:$id~lock\t150\t$somebody\t1");
};
same([], $outlast($id, $reads, fn () => $_SESSION['by'] = 'c'), 'another reads still');
same('n|i:1;by|s:1:"c";', $stored($id), 'it is written after him');

// Somebody changed or removed it: his change stays, and it is said.
foreach (['$_SESSION["n"] = 2;' => 'n|i:2;by|s:1:"c";', 'session_destroy();' => 'gone'] as $code => $theirs) {
    $warnings = $outlast($id, $other($id, $code));
    check(str_contains($warnings[0] ?? '', '50 ms (tagcache.session_lock_ms)'), "$code: said so: " . show($warnings));
    same($theirs, $stored($id), "$code: what the other did");
}
// Who changed nothing has nothing to lose, and leaves what the other did.
foreach (['$_SESSION["n"] = 3;' => 'n|i:3;', 'session_destroy();' => 'gone'] as $code => $theirs) {
    in_session($id, fn () => $_SESSION = ['n' => 1]);
    same([], $outlast($id, $other($id, $code), fn () => null), "$code: unchanged here");
    same($theirs, $stored($id), "$code: what the other did stays");
}
// Somebody has it locked for longer than we wait.
in_session($id, fn () => $_SESSION = ['n' => 1]);
$warnings = $outlast($id, fn () => raw("ADD\tsession:$id~lock\t60000\t$somebody\t1"));
check(str_contains($warnings[0] ?? '', '300 ms (tagcache.session_lock_wait_ms)'), 'locked: said so: ' . show($warnings));
same('n|i:1;', $stored($id), 'it is not written into the session of another');
same(true, $cache->has("session:$id~lock"), "the other's lock is untouched");
raw("INV_TAG\t$somebody");

finish();
--EXPECT--
ok
