<?php

declare(strict_types=1);

namespace TagCache\Tests\Support;

use PHPUnit\Framework\TestCase;
use TagCache\SerializationException;
use TagCache\Support\Entry;

final class EntryTest extends TestCase
{
    public function testAValueAloneIsStoredAsItIs(): void
    {
        foreach ([1, 'text', null, [1, 2], ['a' => 'b'], new \ArrayObject(), ['tagcache/2 ', 1]] as $value) {
            self::assertSame($value, (new Entry($value))->stored());
            self::assertSame($value, Entry::of($value)->value);
            self::assertSame([], Entry::of($value)->tags);
        }
    }

    public function testWhateverIsStoredComesBack(): void
    {
        $object = new \ArrayObject();
        $values = [
            null, true, false, 0, -5, PHP_INT_MAX, PHP_INT_MIN, 1.0, -0.0, 0.1, NAN, INF, '', 's', 'i5', "a b,c\n\0\xff",
            [], [1, 2], ['a' => 1], $object, 'tagcache/1 ', 'tagcache/1  t sx', ['tagcache/1  t', 1], ['tagcache/1 ', 'tagcache/1 '],
        ];
        foreach ($values as $value) {
            foreach ([[[], ''], [['a'], ''], [[], "\0\xff"], [['a b', 'c,d', "\xff%41", 'tagcache/1 '], '12345678']] as [$tags, $meta]) {
                $stored = (new Entry($value, $tags, $meta))->stored();
                if (!is_object($value) && !is_array($value)) {
                    self::assertIsNotArray($stored, 'no serializer is needed for a scalar');
                }
                $entry = Entry::of($stored);
                self::assertSame(serialize($value), serialize($entry->value));
                self::assertSame($tags, $entry->tags);
                self::assertSame($meta, $entry->meta);
            }
        }
    }

    /** @dataProvider damaged */
    public function testWhatIsDamagedIsNoValue(mixed $stored): void
    {
        $this->expectException(SerializationException::class);
        Entry::of($stored);
    }

    public static function damaged(): array
    {
        return [
            ['tagcache/1 '], ['tagcache/1  t'], ['tagcache/1  t '], ['tagcache/1  t x'], ['tagcache/1  t i'], ['tagcache/1  t i1.5'],
            ['tagcache/1  t d12'], ['tagcache/1 f t n'], ['tagcache/1 zz t n'], ['tagcache/1  t b2'], ['tagcache/1  t n '],
            [['tagcache/1 ', 1]], [['tagcache/1  t n', 1]], [['tagcache/1 x t', 1]],
        ];
    }
}
