<?php

declare(strict_types=1);

namespace TagCache\Tests;

use PHPUnit\Framework\TestCase;
use Symfony\Contracts\Cache\ItemInterface;
use TagCache\Psr6\Pool;
use TagCache\Symfony\TagCacheAdapter;

/** Whatever serializer the handle has, it decides about values only, not about what an adapter keeps beside them. */
final class SerializersTest extends TestCase
{
    private const SCALARS = ['text', '', "a\nb\0\xff", 5, -1.5, true, false, null];
    private const ARRAYS = [[1, 2], ['a' => ['b' => 'c']], []];

    /** @return array<string, array{string, list<mixed>}> */
    public static function serializers(): array
    {
        $object = new \ArrayObject([1]);
        $cases = [
            'native' => ['native', self::SCALARS],
            'json' => ['json', [...self::SCALARS, ...self::ARRAYS]],
            'php' => ['php', [...self::SCALARS, ...self::ARRAYS, $object]],
        ];
        foreach (array_filter(['igbinary', 'msgpack'], 'extension_loaded') as $name) {
            $cases[$name] = [$name, [...self::SCALARS, ...self::ARRAYS]];
        }

        return $cases;
    }

    /** @dataProvider serializers */
    public function testPsr6(string $serializer, array $values): void
    {
        $failures = [];
        $pool = new Pool(
            Server::dsn() . "&serializer=$serializer",
            Server::freshNamespace(),
            null,
            static function (\Exception $e) use (&$failures): void {
                $failures[] = $e->getMessage();
            },
        );
        foreach ($values as $n => $value) {
            self::assertTrue($pool->save($pool->getItem("k$n")->set($value)->setTags(["t$n", 'a,b'])->expiresAfter(60)));
            $item = $pool->getItem("k$n");
            self::assertTrue($item->isHit());
            self::assertEquals($value, $item->get());
            self::assertSame(get_debug_type($value), get_debug_type($item->get()));
            self::assertSame(["t$n", 'a,b'], $item->getPreviousTags());
            $pool->invalidateTag("t$n");
            self::assertFalse($pool->hasItem("k$n"));
        }
        self::assertSame([], $failures);
        $pool->clear();
    }

    /** @dataProvider serializers */
    public function testSymfony(string $serializer, array $values): void
    {
        $cache = new TagCacheAdapter(Server::dsn() . "&serializer=$serializer", Server::freshNamespace());
        foreach ($values as $n => $value) {
            $make = static fn (ItemInterface $item) => [$item->tag(["t$n"])->expiresAfter(60), usleep(2_000), $value][2];
            self::assertEquals($value, $cache->get("k$n", $make));
            $item = $cache->getItem("k$n");
            self::assertTrue($item->isHit(), get_debug_type($value));
            self::assertEquals($value, $item->get());
            self::assertSame(["t$n" => "t$n"], $item->getMetadata()[ItemInterface::METADATA_TAGS]);
            self::assertEqualsWithDelta(time() + 60, $item->getMetadata()[ItemInterface::METADATA_EXPIRY], 3);
            $cache->invalidateTags(["t$n"]);
            self::assertFalse($cache->hasItem("k$n"));
        }
        $cache->clear();
    }

    public function testWhatTheSerializerDoesNotTakeIsStillRefused(): void
    {
        $heard = null;
        $pool = new Pool(Server::dsn() . '&serializer=native', Server::freshNamespace(), null, static function (\Exception $e) use (&$heard) {
            $heard = $e;
        });
        self::assertFalse($pool->save($pool->getItem('k')->set([1])->setTags(['t'])));
        self::assertInstanceOf(\TagCache\SerializationException::class, $heard);
    }
}
