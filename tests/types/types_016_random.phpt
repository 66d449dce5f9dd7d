--TEST--
Random values of every kind come back identical
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

final class Values
{
    private const PIECES = ["\0", "\t", "\n", "\r", "\xff", "\xc3", 'é', '\\n', '\\', '__TC_', '__TC_NULL__', '1', '.', 'e', '-', '+',
        ' ', 'a', 'ERR ', "VALUE\t", ',', '"', "\u{1F600}", 's:1:"a";'];

    public static function text(): string
    {
        $text = '';
        for ($n = mt_rand(0, 8); $n > 0; $n--) {
            $text .= mt_rand(0, 3) ? self::PIECES[mt_rand(0, count(self::PIECES) - 1)] : chr(mt_rand(0, 255));
        }
        return $text;
    }

    private static function bits(): string
    {
        return pack('nnnn', mt_rand(0, 65535), mt_rand(0, 65535), mt_rand(0, 65535), mt_rand(0, 65535));
    }

    public static function any(int $depth = 0): mixed
    {
        return match (mt_rand(0, $depth < 4 ? 12 : 9)) {
            0 => null,
            1 => (bool) mt_rand(0, 1),
            2 => mt_rand(-1000, 1000),
            3 => unpack('q', self::bits())[1],
            4 => mt_rand(-1000, 1000) / 8,
            5 => unpack('e', self::bits())[1],
            6 => (string) (mt_rand(0, 1) ? mt_rand(-1000, 1000) : mt_rand(-1000, 1000) / 8),
            7, 8 => self::text(),
            9 => str_repeat(self::text(), mt_rand(1, 50)),
            10 => self::object($depth),
            default => self::list($depth),
        };
    }

    private static function list(int $depth): array
    {
        $list = [];
        for ($n = mt_rand(0, 5); $n > 0; $n--) {
            $key = mt_rand(0, 2);
            $list[$key === 0 ? self::text() : ($key === 1 ? mt_rand(-9, 9) : count($list))] = self::any($depth + 1);
        }
        return $list;
    }

    private static function object(int $depth): object
    {
        $object = new stdClass();
        foreach (self::list($depth) as $name => $value) {
            $name = 'p' . bin2hex((string) $name);
            $object->$name = $value;
        }
        return mt_rand(0, 1) ? $object : new ArrayObject((array) $object);
    }
}

$seed = (int) (getenv('TAGCACHE_TEST_SEED') ?: random_int(1, PHP_INT_MAX >> 1));
mt_srand($seed);
$cache = cache();
for ($round = 0; $round < 20; $round++) {
    $items = [];
    for ($n = 0; $n < 100; $n++) {
        $items[k("$round/$n")] = Values::any();
    }
    same(100, $cache->mSet($items), 'mSet');
    $got = $cache->mGet(array_keys($items));
    same(array_keys($items), array_keys($got), 'keys of mGet');
    foreach ($items as $key => $value) {
        alike($value, $got[$key] ?? null, "TAGCACHE_TEST_SEED=$seed, $key");
        if (mt_rand(0, 9) === 0) {
            alike($value, $cache->get($key), "get, TAGCACHE_TEST_SEED=$seed, $key");
        }
    }
}

finish();
--EXPECT--
ok
