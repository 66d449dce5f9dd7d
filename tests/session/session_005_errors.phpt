--TEST--
What is wrong with a session is said
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions();
$fails = function (string $what, string $part, array $settings, string $id = ''): void {
    foreach ($settings as $name => $value) {
        ini_set($name, $value);
    }
    $messages = [];
    set_error_handler(function (int $level, string $message) use (&$messages): bool {
        $messages[] = $message;
        return true;
    });
    session_id($id !== '' ? $id : new_id());
    [$started, $ms] = timed(fn () => session_start());
    restore_error_handler();
    same(false, $started, "$what: not started");
    check($ms < 2000, "$what: soon ($ms ms)");
    check(str_contains(implode("\n", $messages), $part), "$what: " . show($messages));
    foreach ($settings as $name => $value) {
        ini_set($name, session_settings()[$name] ?? '');
    }
};
$port = closed_port();
$fails('nobody listens', "127.0.0.1:$port", ['session.save_path' => "tagcache://127.0.0.1:$port?timeout_ms=500"]);
$fails('no DSN', 'session.save_path', ['session.save_path' => '/var/lib/php/sessions']);
$fails('an option that there is not', "did you mean 'timeout_ms'", ['session.save_path' => 'tagcache://127.0.0.1?timeout=5']);
$fails('a wrong setting', 'tagcache.session_lock_ms', ['tagcache.session_lock_ms' => '0']);
ini_restore('tagcache.session_lock_ms');
$fails('a prefix that can be none', 'tagcache.session_prefix', ['tagcache.session_prefix' => 'a,b']);
ini_restore('tagcache.session_prefix');
$id = new_id();
cache()->set("session:$id", ['not' => 'a session']);
$fails('an entry that is no session', 'tagcache.session_prefix', [], $id);
final class Awake
{
    public static int $times = 0;

    public function __wakeup(): void
    {
        self::$times++;
    }
}
$id = new_id();
cache()->set("session:$id", new Awake());
$fails('an entry that is an object', "session:$id", [], $id);
same(0, Awake::$times, 'which does not come to life');

// Without the extension session, the module loads all the same: it is looked up when PHP starts.
check(str_contains((string) shell_exec(escapeshellarg(PHP_BINARY) . ' -n -d extension=' . escapeshellarg(extension_file()) . ' --ri tagcache'),
    'Session handler => tagcache'), 'phpinfo names the handler');

finish();
--EXPECT--
ok
