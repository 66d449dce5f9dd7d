--TEST--
A request that only read a session never writes back what it read
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

$cache = cache();
$somebody = k('somebody');
// Stores, removes or replaces a session as another request does.
$others = [
    'a logout' => fn (string $id) => run_php('session_id($argv[1]); session_start(); session_destroy();', [$id], session_settings(['tagcache.session_locking' => '0'])),
    'a logout that empties it' => fn (string $id) => run_php('session_id($argv[1]); session_start(); $_SESSION = [];', [$id], session_settings(['tagcache.session_locking' => '0'])),
    'an update' => fn (string $id) => run_php('session_id($argv[1]); session_start(); $_SESSION["by"] = "b";', [$id], session_settings(['tagcache.session_locking' => '0'])),
    'a delete by an operator' => fn (string $id) => $cache->delete("session:$id"),
];
// With locks, only what does not ask for them can come between.
foreach (['0' => $others, '1' => array_slice($others, 3)] as $locking => $ways) {
    foreach (['1', '0'] as $lazy) {
        use_sessions(['tagcache.session_locking' => (string) $locking, 'session.lazy_write' => $lazy]);
        foreach ($ways as $way => $change) {
            $what = "$way, locking $locking, lazy_write $lazy";
            $id = new_id();
            in_session($id, fn () => $_SESSION = ['user' => 'ada']);
            $after = in_session($id, function () use ($change, $cache, $id) {
                same('ada', $_SESSION['user'], 'as it was');
                $change($id);
                return $cache->get("session:$id", 'gone');
            });
            check($after !== 'user|s:3:"ada";', "$what: it was changed: " . show($after));
            same($after, $cache->get("session:$id", 'gone'), "$what: and stays so");
        }
        // A new session that stays empty does not overwrite one that came meanwhile.
        $id = new_id();
        in_session($id, fn () => raw("PUT\tsession:$id\t60000\t-\tuser|s:3:\"ada\";"));
        same('user|s:3:"ada";', $cache->get("session:$id"), "a login beside an empty session, locking $locking, lazy_write $lazy");
        $id = new_id();
        in_session($id, fn () => null);
        same('', $cache->get("session:$id"), 'an empty session is stored');
        in_session($id, fn () => null);
        same(false, $cache->has("session:$id~lock"), 'no lock is left');
    }
}

// Without locks, a session that only was read lives on, for which it is locked for that moment.
use_sessions(['tagcache.session_locking' => '0', 'session.gc_maxlifetime' => '2', 'session.lazy_write' => '1']);
$id = new_id();
in_session($id, fn () => $_SESSION['a'] = 1);
for ($n = 0; $n < 3; $n++) {
    usleep(800_000);
    in_session($id, fn () => same(1, $_SESSION['a'] ?? null, "read only, time $n"));
}
ini_set('session.gc_maxlifetime', '60');
// Who has the lock renews it: nobody waits long for that, nor fails.
raw("ADD\tsession:$id~lock\t60000\t$somebody\t1");
[, $ms] = timed(fn () => in_session($id, fn () => same(1, $_SESSION['a'] ?? null, 'read beside a lock')));
check($ms < 1000, "does not wait for it ($ms ms)");
same(true, $cache->has("session:$id~lock"), "the other's lock is untouched");
[, $ms] = timed(fn () => in_session($id, fn () => session_destroy()));
check($ms < 1000 && !$cache->has("session:$id"), "a logout does not wait for it either ($ms ms)");
raw("INV_TAG\t$somebody");

// Whoever looks and stores has it locked for a moment, and who changes or removes it does not come between.
foreach (['a change' => fn () => $_SESSION['a'] = 2, 'a logout' => fn () => session_destroy()] as $what => $change) {
    in_session($id, fn () => $_SESSION['a'] = 1);
    session_id($id);
    session_start();
    [, $ms] = timed(function () use ($change, $id, $somebody): void {
        raw("ADD\tsession:$id~lock\t70\t$somebody\t1");
        $change();
        session_write_close();
    });
    check($ms >= 70 && $ms < 1000, "$what waits for that moment ($ms ms)");
    same($what === 'a change' ? 'a|i:2;' : 'gone', $cache->get("session:$id", 'gone'), "$what is stored");
    same(false, $cache->has("session:$id~lock"), "$what: no lock is left");
}

finish();
--EXPECT--
ok
