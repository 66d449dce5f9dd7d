--TEST--
flush() of the cache, with the prefix of the sessions, logs nobody out
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

['host' => $host, 'port' => $port] = address();
$prefix = k('shop:');
use_sessions(['session.save_path' => "tagcache://$host:$port?prefix=" . rawurlencode($prefix)]);
$cache = cache(['prefix' => $prefix]);
$id = new_id();
in_session($id, fn () => $_SESSION['user'] = 'Ada');
$cache->set('page', 1);
same(true, $cache->has("session:$id"), 'the key is what it was');

same(1, $cache->flush(), 'flush() takes what the cache has stored');
in_session($id, fn () => same('Ada', $_SESSION['user'] ?? null, 'and no session'));
same([], $cache->mGet(['page', "session:$id~lock"]), 'nothing else is left');

// Also not while one is open: its lock would be gone.
session_id($id);
session_start();
$cache->flush();
same(true, $cache->has("session:$id~lock"), 'the lock stays');
$_SESSION['n'] = 1;
session_write_close();
in_session($id, fn () => same(1, $_SESSION['n'] ?? null, 'it was written'));

// Whoever wants to log everybody out can.
$sessions = cache(['prefix' => "{$prefix}session:"]);
check($sessions->flush() >= 1, 'by the prefix of sessions');
in_session($id, fn () => same([], $_SESSION, 'gone'));

// The same with the INI settings, and without any prefix before that of sessions.
ini_set('session.save_path', "tagcache://$host:$port");
ini_set('tagcache.session_prefix', k('s/'));
in_session($id, fn () => $_SESSION['a'] = 1);
same(1, cache(['prefix' => k('s/')])->flush(), 'they can be flushed alone');
in_session($id, fn () => same([], $_SESSION, 'gone'));

finish();
--EXPECT--
ok
