--TEST--
A user's SessionHandler can stand before the handler tagcache
--SKIPIF--
<?php if (!extension_loaded('session')) die('skip needs session'); ?>
--FILE--
<?php
require __DIR__ . '/session.inc';

use_sessions();
final class Counting extends SessionHandler implements SessionUpdateTimestampHandlerInterface
{
    public array $calls = [];

    public function read(string $id): string|false
    {
        $this->calls[] = 'read';
        return strrev((string) parent::read($id));
    }

    public function write(string $id, string $data): bool
    {
        $this->calls[] = 'write';
        return parent::write($id, strrev($data));
    }

    public function validateId(string $id): bool
    {
        $this->calls[] = 'validateId';
        return cache()->has("session:$id");
    }

    public function updateTimestamp(string $id, string $data): bool
    {
        $this->calls[] = 'updateTimestamp';
        return parent::write($id, strrev($data));
    }
}
$handler = new Counting();
check(session_set_save_handler($handler, true), 'session_set_save_handler');
$id = new_id();
in_session($id, fn () => $_SESSION['a'] = 'b');
same(';"b":1:s|a', cache()->get("session:$id"), 'what the user handler made of it');
in_session($id, fn () => same(['a' => 'b'], $_SESSION, 'and back'));
same(['read', 'write', 'read', 'updateTimestamp'], $handler->calls, 'an unchanged session is not written');
ini_set('session.use_strict_mode', '1');
in_session($id, fn () => null);
check(in_array('validateId', $handler->calls, true), 'validateId');

finish();
--EXPECT--
ok
