<?php

declare(strict_types=1);

namespace TagCache\Tests\Symfony;

use PHPUnit\Framework\TestCase;
use Symfony\Component\Cache\CacheItem;
use Symfony\Component\Cache\Exception\InvalidArgumentException;
use TagCache\Symfony\TagCacheAdapter;
use TagCache\Tests\Server;

/** Tags of the Symfony adapter. */
final class TagsTest extends TestCase
{
    private string $namespace;
    private TagCacheAdapter $cache;

    protected function setUp(): void
    {
        $this->namespace = Server::freshNamespace();
        $this->cache = new TagCacheAdapter(Server::handle(), $this->namespace);
    }

    protected function tearDown(): void
    {
        $this->cache->clear();
    }

    /** @param string[] $tags */
    private function save(string $key, array $tags, mixed $value = 1): void
    {
        self::assertTrue($this->cache->save($this->cache->getItem($key)->set($value)->tag($tags)));
    }

    /** @return list<string> */
    private function hits(string ...$keys): array
    {
        return array_values(array_filter($keys, fn (string $key) => $this->cache->getItem($key)->isHit()));
    }

    public function testInvalidateTags(): void
    {
        $this->save('k0', ['foo']);
        $this->save('k1', ['foo', 'bar']);
        $this->save('k2', ['bar', 'baz']);
        $this->save('k3', ['baz']);
        $this->save('k4', []);
        self::assertTrue($this->cache->invalidateTags(['bar']));
        self::assertSame(['k0', 'k3', 'k4'], $this->hits('k0', 'k1', 'k2', 'k3', 'k4'));
        self::assertTrue($this->cache->invalidateTags(['foo', 'baz', 'nobody']));
        self::assertSame(['k4'], $this->hits('k0', 'k1', 'k2', 'k3', 'k4'));
        self::assertFalse($this->cache->invalidateTags([]));
    }

    public function testAnotherPoolOfTheSameNamespaceSeesIt(): void
    {
        $this->save('key', ['tag']);
        (new TagCacheAdapter(Server::handle(), $this->namespace))->invalidateTags(['tag']);
        self::assertSame([], $this->hits('key'));
    }

    public function testSavingReplacesTheTags(): void
    {
        $this->save('key', ['foo']);
        $this->save('key', ['bar']);
        $this->cache->invalidateTags(['foo']);
        self::assertSame(['key'], $this->hits('key'));
        $this->cache->invalidateTags(['bar']);
        self::assertSame([], $this->hits('key'));
    }

    public function testTagsThatStayAreWrittenAgain(): void
    {
        $this->save('key', ['stays', 'goes']);
        // Fetched with its tags: what the parent class hands down is only what changes.
        $item = $this->cache->getItem('key');
        $this->cache->save($item->set(2)->tag(['stays', 'new']));
        $this->cache->invalidateTags(['goes']);
        self::assertSame(['key'], $this->hits('key'));
        $this->cache->invalidateTags(['stays']);
        self::assertSame([], $this->hits('key'));
    }

    public function testSavingAFetchedItemWithoutTagsRemovesThem(): void
    {
        $this->save('key', ['foo']);
        $this->cache->save($this->cache->getItem('key'));
        $this->cache->invalidateTags(['foo']);
        self::assertSame(['key'], $this->hits('key'));
    }

    public function testDeletingForgetsTheTags(): void
    {
        $this->save('key', ['foo']);
        $this->cache->deleteItem('key');
        $this->save('key', []);
        $this->cache->invalidateTags(['foo']);
        self::assertSame(['key'], $this->hits('key'));
    }

    public function testClearingForgetsTheTags(): void
    {
        $this->save('key', ['foo']);
        $this->cache->clear();
        $this->save('key', []);
        $this->cache->invalidateTags(['foo']);
        self::assertSame(['key'], $this->hits('key'));
    }

    public function testInvalidatingLeavesWhatIsStillDeferred(): void
    {
        $this->cache->saveDeferred($this->cache->getItem('key')->set(1)->tag('foo'));
        $this->cache->invalidateTags(['foo']);
        self::assertSame(['key'], $this->hits('key'), 'Symfony writes it later, so it is newer');
        $this->cache->invalidateTags(['foo']);
        self::assertSame([], $this->hits('key'));
    }

    public function testExpiryOfTaggedItems(): void
    {
        $this->cache->save($this->cache->getItem('key')->set(1)->tag('foo')->expiresAfter(1));
        self::assertSame(['key'], $this->hits('key'));
        usleep(1_200_000);
        self::assertSame([], $this->hits('key'));
        $this->save('key', []);
        $this->cache->invalidateTags(['foo']);
        self::assertSame(['key'], $this->hits('key'));
    }

    public function testTagsAreInTheMetadata(): void
    {
        $this->save('key', ['foo', 'bar']);
        $tags = $this->cache->getItem('key')->getMetadata()[CacheItem::METADATA_TAGS];
        self::assertSame(['foo' => 'foo', 'bar' => 'bar'], $tags);
    }

    public function testTagsOfAllKinds(): void
    {
        $tags = ['a b', ' a', 'a,b', 'a%2Cb', "nul\0", "tab\t", 'ü', "\xff", '-', '0'];
        foreach ($tags as $n => $tag) {
            $this->save("k$n", [$tag]);
        }
        foreach ($tags as $n => $tag) {
            self::assertSame(["k$n"], $this->hits("k$n"));
            self::assertTrue($this->cache->invalidateTags([$tag]));
            self::assertSame([], $this->hits("k$n"));
        }
    }

    public function testTheServerKnowsTheTags(): void
    {
        $this->save('key', ['foo']);
        $name = "$this->namespace/symfony:";
        $client = Server::handle();
        self::assertSame(["{$name}key"], $client->keysByTag("{$name}foo"));
        self::assertSame(1, $client->invalidateTag("{$name}foo"));
        self::assertSame([], $this->hits('key'));
    }

    /** @dataProvider badTags */
    public function testTagsThatSymfonyRefuses(mixed $tag): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->cache->getItem('key')->tag($tag);
    }

    public static function badTags(): array
    {
        return [[''], ['a:b'], ['a/b'], ['{a'], [2], [null], [[['a']]]];
    }

    public function testVersionedNamespacesShareTheirTags(): void
    {
        $this->cache->enableVersioning();
        $this->save('key', ['foo']);
        self::assertSame(['key'], $this->hits('key'));
        $this->cache->invalidateTags(['foo']);
        self::assertSame([], $this->hits('key'));
    }
}
