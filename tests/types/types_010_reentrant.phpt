--TEST--
__serialize, __unserialize, __sleep and __wakeup may use the cache, on a pool of one
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Busy
{
    public static TagCache $cache;
    public static array $log = [];

    public function __construct(public string $name)
    {
    }

    public function __serialize(): array
    {
        self::$log[] = "serialize $this->name";
        self::$cache->set("inner $this->name", strtoupper($this->name));
        return ['name' => $this->name];
    }

    public function __unserialize(array $data): void
    {
        self::$log[] = "unserialize {$data['name']}";
        $this->name = implode('|', self::$cache->mGet(["inner {$data['name']}", 'nothing', 'plain']));
    }
}

class Older
{
    public $got;

    public function __sleep()
    {
        Busy::$cache->increment('slept');
        return ['got'];
    }

    public function __wakeup()
    {
        $this->got = Busy::$cache->get('slept');
        Busy::$cache->set('woken', [$this->got, 'x']);
    }
}

// Deletes and replaces what is being read.
class Odd
{
    public function __serialize(): array
    {
        return [];
    }

    public function __unserialize(array $data): void
    {
        Busy::$cache->delete('odd');
        Busy::$cache->set('odd', 'replaced');
        Busy::$log[] = Busy::$cache->get('odd');
    }
}

// Each reads the next inside its own __unserialize.
class Nest
{
    public mixed $inner = null;

    public function __construct(public int $level)
    {
    }

    public function __serialize(): array
    {
        return [$this->level];
    }

    public function __unserialize(array $data): void
    {
        $this->level = $data[0];
        $this->inner = Busy::$cache->get('nest' . ($this->level + 1));
    }
}

// Closes the handle of the call that reads it.
class Closer
{
    public function __serialize(): array
    {
        return ['x' => 1];
    }

    public function __unserialize(array $data): void
    {
        Busy::$cache->close();
    }
}

$server = new Fault();
$cache = Busy::$cache = $server->cache(['pool_size' => 1]);
$cache->set('plain', 'p');

$cache->set('outer', new Busy('a'));
same('A|p', $cache->get('outer')->name, 'get of one');
$cache->mSet(['m1' => new Busy('b'), 'm2' => [new Busy('c'), 'x'], 'm3' => 'plain text']);
$got = $cache->mGet(['m3', 'm1', 'm2']);
same(['m3', 'm1', 'm2'], array_keys($got), 'mGet: order');
same('plain text', $got['m3'], 'mGet: beside it');
same('B|p', $got['m1']->name, 'mGet of one');
same('C|p', $got['m2'][0]->name, 'mGet of one in an array');
same(['serialize a', 'unserialize a', 'serialize b', 'serialize c', 'unserialize b', 'unserialize c'], Busy::$log, 'order of the calls');

same(true, $cache->add('added', new Busy('d')), 'add');
same('D|p', $cache->get('added')->name, 'get of the added');
$cache->set('older', new Older());
same(1, $cache->get('older')->got, '__wakeup');
same([1, 'x'], $cache->get('woken'), 'what __wakeup stored');

$cache->set('odd', new Odd());
same(Odd::class, get_class($cache->get('odd')), 'the value that was asked for');
same('replaced', end(Busy::$log), 'what was read inside');
same('replaced', $cache->get('odd'), 'and afterwards');

for ($level = 0; $level < 30; $level++) {
    $cache->set("nest$level", new Nest($level));
}
for ($nest = $cache->get('nest0'), $depth = 0; $nest !== null; $nest = $nest->inner) {
    same($depth++, $nest->level, 'level');
}
same(30, $depth, 'levels');

$cache->set('closer', new Closer());
same(Closer::class, get_class($cache->get('closer')), 'close() within get()');
throws(TagCache\ClosedException::class, fn () => $cache->get('plain'), 'closed afterwards');
at_full_capacity($server->cache(['pool_size' => 1]), 'at the end');
same(1, $server->stats()['peers_total'], 'there was never a second connection');

finish();
--EXPECT--
ok
