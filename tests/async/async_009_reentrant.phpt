--TEST--
Code of the user that runs within value() may use the batch and the cache
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Reader
{
    public static ?Closure $on_read = null;

    public function __serialize(): array
    {
        return ['x' => 1];
    }

    public function __unserialize(array $data): void
    {
        self::$on_read && (self::$on_read)();
    }
}

$server = new Fault();
$cache = $server->cache(['pool_size' => 1]);
$cache->mSet(['object' => new Reader(), 'plain' => 5]);
$batch = $cache->batch();
$object = $batch->get('object');
$many = $batch->mGet(['plain', 'object', 'plain']);
$plain = $batch->get('plain');
$seen = [];
Reader::$on_read = function () use (&$batch, $object, $plain, $cache, &$seen) {
    Reader::$on_read = null;
    $seen = [$plain->value(), $object->ready(), $cache->get('plain'), get_class($object->value())];
    $batch = null;
};
$value = $object->value();
same([5, true, 5, 'Reader'], $seen, 'what the hook did');
check($value instanceof Reader && $value === $object->value(), 'one object, whoever asked first');
same(['plain', 'object'], array_keys($many->value()), 'the batch was dropped meanwhile; its futures go on');

// A hook that throws: each value() tries again.
$future = $cache->batch()->get('object');
Reader::$on_read = fn () => throw new DomainException('now');
throws(DomainException::class, fn () => $future->value(), 'the hook throws');
Reader::$on_read = null;
same('Reader', get_class($future->value()), 'and not the next time');

// A hook that sends the batch it is added to.
class Sender
{
    public static ?Closure $on_write = null;

    public function __serialize(): array
    {
        (self::$on_write)();
        return [];
    }
}
$batch = $cache->batch();
$batch->set('first', 1);
Sender::$on_write = fn () => $batch->send();
throws(TagCache\ClosedException::class, fn () => $batch->set('second', new Sender()), 'sent by the hook');
same(true, $batch->wait(), 'what was there before');
same([1, false], [$cache->get('first'), $cache->has('second')], 'stored');
at_full_capacity($cache, 'afterwards');

finish();
--EXPECT--
ok
