--TEST--
session.save_handler = tagcache: what a session is for
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions();
$id = new_id();
$cache = cache();
$value = ['text' => "a\0b\n\t\xff", 'list' => [1, 2.5, null, true], 'object' => new ArrayObject(['x'])];
in_session($id, function () use ($value) {
    same([], $_SESSION, 'a new session is empty');
    $_SESSION = $value;
});
same(true, $cache->has("session:$id"), 'it is an entry');
same(false, $cache->has("session:$id~lock"), 'and not locked any more');
in_session($id, fn () => alike($value, $_SESSION, 'what was stored comes back'));
same('', raw("GET\tsession:$id")[0] === 'NF' ? 'gone' : '', 'the entry is there for other clients too');

// Large, and empty.
in_session($id, fn () => $_SESSION = ['big' => str_repeat('x', 3_000_000)]);
in_session($id, fn () => same(3_000_000, strlen($_SESSION['big']), 'a large one'));
in_session($id, fn () => $_SESSION = []);
in_session($id, fn () => same([], $_SESSION, 'an emptied one'));

// abort, reset, destroy.
in_session($id, fn () => $_SESSION['n'] = 1);
session_id($id);
session_start();
$_SESSION['n'] = 2;
session_reset();
same(1, $_SESSION['n'], 'session_reset reads again');
$_SESSION['n'] = 3;
session_abort();
in_session($id, fn () => same(1, $_SESSION['n'], 'session_abort writes nothing'));
session_id($id);
session_start();
same(true, $cache->has("session:$id~lock"), 'locked while it is open');
same(true, session_destroy(), 'session_destroy');
same([false, false], [$cache->has("session:$id"), $cache->has("session:$id~lock")], 'nothing is left, no lock either');

// A new id, with and without the old session.
foreach ([true, false] as $delete) {
    session_id($id);
    session_start();
    $_SESSION = ['kept' => $delete];
    same(true, session_regenerate_id($delete), 'session_regenerate_id');
    $new = session_id();
    check($new !== $id, 'another id');
    session_write_close();
    same(!$delete, $cache->has("session:$id"), 'the old one: ' . show($delete));
    in_session($new, fn () => same(['kept' => $delete], $_SESSION, 'the new one has the data'));
    same([false, false], [$cache->has("session:$id~lock"), $cache->has("session:$new~lock")], 'no locks');
    $cache->delete("session:$id");
}

// Strict mode: an id that nobody has made is not taken.
ini_set('session.use_strict_mode', '1');
$unknown = new_id();
session_id($unknown);
session_start();
check(session_id() !== $unknown, 'an unknown id is replaced');
$_SESSION['a'] = 1;
$known = session_id();
session_write_close();
in_session($known, fn () => same([$known, 1], [session_id(), $_SESSION['a'] ?? null], 'a known one is kept'));
ini_set('session.use_strict_mode', '0');
session_id($known);
session_start();
same(0, session_gc(), 'session_gc: the server does that');
same(32, strlen(session_create_id()), 'session_create_id');
session_write_close();

// A prefix of its own, and one of the DSN before it.
['host' => $host, 'port' => $port] = address();
ini_set('session.save_path', "tagcache://$host:$port?prefix=shop:");
ini_set('tagcache.session_prefix', 's/');
in_session($id, fn () => $_SESSION['a'] = 1);
same(true, $cache->has("shop:s/$id"), 'both prefixes');

finish();
--EXPECT--
ok
