--TEST--
The cache within Serializable, whose methods share PHP's table of references: a value stands for itself
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

error_reporting(E_ALL & ~E_DEPRECATED);
eval(<<<'PHP'
    class Old implements Serializable
    {
        public static ?TagCache $cache = null;
        public static array $seen = [];
        public static ?Closure $out = null;
        public static ?Closure $in = null;
        public mixed $data = null;

        public function __construct(mixed $data = null)
        {
            $this->data = $data;
        }

        public function serialize()
        {
            if (self::$out) {
                (self::$out)($this);
            }
            return serialize($this->data);
        }

        public function unserialize($bytes)
        {
            $this->data = unserialize($bytes);
            if (self::$in) {
                (self::$in)($this);
            }
        }
    }
    PHP);
error_reporting(E_ALL);
class Giver
{
    public mixed $data = null;

    public function __construct(mixed $data)
    {
        $this->data = $data;
    }

    public function __serialize(): array
    {
        return ['data' => $this->data];
    }

    public function __unserialize(array $data): void
    {
        $this->data = $data['data'];
    }
}

$server = new Fault();
foreach (['php', 'igbinary'] as $name) {
    $cache = Old::$cache = $server->cache(['serializer' => $name]);
    $shared = (object) ['a' => 1];
    $inner = [$shared, [$shared], new Giver($shared)];

    // Stored while PHP serializes something that has the same object in it.
    Old::$out = function (Old $old) use ($cache, $inner) {
        $cache->set('inner', $inner);
    };
    foreach ([fn () => $cache->set('outer', [$shared, new Old($shared), $shared]), fn () => serialize([$shared, new Old($shared), $shared])] as $how => $call) {
        $cache->delete('inner');
        $call();
        Old::$out = null;
        alike($inner, $cache->get('inner'), "$name: stored within serialize(), way $how");
        Old::$out = function (Old $old) use ($cache, $inner) {
            $cache->set('inner', $inner);
        };
    }
    $got = $cache->get('outer');
    same([1, 1, $got[0]], [$got[0]->a, $got[1]->data->a, $got[2]], "$name: and what it was within");
    // What is in the bytes and outside is one object for PHP only.
    same($name === 'php', $got[0] === $got[1]->data, "$name: sharing with the bytes");
    Old::$out = null;

    // Read while PHP unserializes.
    $got = [];
    Old::$in = function (Old $old) use ($cache, &$got) {
        $got[] = $cache->get('inner');
        $got[] = unserialize(serialize([1, 2]));
    };
    $cache->get('outer');
    $bytes = serialize([(object) ['b' => 2], new Old('x'), new Old('y')]);
    $whole = unserialize($bytes);
    alike($inner, $got[0], "$name: read within unserialize() of ours");
    alike($inner, $got[2], "$name: read within unserialize() of the user's");
    alike($inner, $got[4], "$name: and again");
    same($bytes, serialize($whole), "$name: what it was within is whole");
    Old::$in = null;
    same([$got[0][0], $got[0][0]], [$got[0][1][0], $got[0][2]->data], "$name: shared objects are shared");

    // With one that is asked beforehand.
    $value = [new Giver($shared), new Old([1, 2]), [$shared, new Old(null)]];
    $cache->set('mixed', $value);
    alike($value, $cache->get('mixed'), "$name: both kinds");
    $cache->set('within', new Giver([new Old([$shared, $shared])]));
    alike(new Giver([new Old([$shared, $shared])]), $cache->get('within'), "$name: one within the other");
    // The filter of an outer unserialize() is not that of the handle.
    Old::$in = function (Old $old) use ($cache, &$got) {
        Old::$in = null;
        $got = $cache->get('within');
    };
    unserialize(serialize(new Old('x')), ['allowed_classes' => ['Old']]);
    same('Giver', get_debug_type($got), "$name: the handle's own rule holds");
}

finish();
--EXPECT--
ok
