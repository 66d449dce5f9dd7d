<?php

declare(strict_types=1);

namespace TagCache\Tests\Symfony;

use PHPUnit\Framework\TestCase;
use Psr\Log\AbstractLogger;
use Symfony\Component\Cache\Adapter\AdapterInterface;
use Symfony\Component\Cache\Adapter\TagAwareAdapterInterface;
use Symfony\Component\Cache\CacheItem;
use Symfony\Component\Cache\ResettableInterface;
use Symfony\Contracts\Cache\TagAwareCacheInterface;
use TagCache\Symfony\TagCacheAdapter;
use TagCache\Tests\Server;
use TagCache\Tests\Unreadable;

/** What Symfony expects of an adapter beyond PSR-6. */
final class AdapterTest extends TestCase
{
    private string $namespace;
    private TagCacheAdapter $cache;

    protected function setUp(): void
    {
        $this->namespace = Server::freshNamespace();
        $this->cache = $this->adapter();
    }

    protected function tearDown(): void
    {
        $this->cache->clear();
    }

    private function adapter(int $defaultLifetime = 0): TagCacheAdapter
    {
        return new TagCacheAdapter(Server::handle(), $this->namespace, $defaultLifetime);
    }

    public function testItIsWhatSymfonyAsksFor(): void
    {
        foreach (
            [AdapterInterface::class, TagAwareAdapterInterface::class, TagAwareCacheInterface::class, ResettableInterface::class] as $interface
        ) {
            self::assertInstanceOf($interface, $this->cache);
        }
    }

    public function testGetComputesOnce(): void
    {
        $calls = 0;
        $make = function (CacheItem $item) use (&$calls) {
            ++$calls;
            self::assertSame('key', $item->getKey());
            self::assertFalse($item->isHit());

            return 'value';
        };
        self::assertSame('value', $this->cache->get('key', $make));
        self::assertSame('value', $this->cache->get('key', $make));
        self::assertSame('value', $this->adapter()->get('key', $make));
        self::assertSame(1, $calls);
        self::assertTrue($this->cache->getItem('key')->isHit());
        self::assertTrue($this->cache->delete('key'));
        self::assertFalse($this->cache->hasItem('key'));
    }

    public function testAnInfiniteBetaComputesAnew(): void
    {
        $this->cache->get('key', static fn () => 1);
        self::assertSame(2, $this->cache->get('key', function (CacheItem $item) {
            self::assertTrue($item->isHit());
            self::assertSame(1, $item->get());

            return 2;
        }, INF));
        self::assertSame(2, $this->cache->getItem('key')->get());
    }

    public function testANegativeBetaIsRefused(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->cache->get('key', static fn () => 1, -2.0);
    }

    public function testGetInsideGet(): void
    {
        self::assertSame(4, $this->cache->get('outer', fn () => 1 + $this->cache->get('inner', fn () => 3)));
        self::assertSame(3, $this->cache->getItem('inner')->get());
        $same = fn () => $this->cache->get('same', static fn () => 7);
        self::assertSame(7, $this->cache->get('same', $same), 'of the same key');
    }

    public function testACallbackMayAskNotToSave(): void
    {
        $value = $this->cache->get('key', static function (CacheItem $item, bool &$save) {
            $save = false;

            return 'value';
        });
        self::assertSame('value', $value);
        self::assertFalse($this->cache->hasItem('key'));
    }

    public function testACallbackThatThrowsLeavesNothing(): void
    {
        try {
            $this->cache->get('key', static fn () => throw new \DomainException('no'));
            self::fail('expected an exception');
        } catch (\DomainException) {
            self::assertFalse($this->cache->hasItem('key'));
        }
    }

    public function testMetadata(): void
    {
        $this->cache->get('key', static function (CacheItem $item) {
            $item->expiresAfter(10);
            $item->tag(['a', 'b']);
            usleep(20_000);

            return 'value';
        });
        $metadata = $this->cache->getItem('key')->getMetadata();
        self::assertEqualsWithDelta(time() + 10, $metadata[CacheItem::METADATA_EXPIRY], 2);
        self::assertGreaterThan(15, $metadata[CacheItem::METADATA_CTIME]);
        self::assertSame(['a' => 'a', 'b' => 'b'], $metadata[CacheItem::METADATA_TAGS]);
        $seen = null;
        $this->cache->get('key', static fn () => 1, null, $seen);
        self::assertSame($metadata, $seen);
    }

    public function testDefaultLifetime(): void
    {
        $cache = $this->adapter(1);
        $cache->save($cache->getItem('default')->set(1));
        $cache->save($cache->getItem('longer')->set(1)->expiresAfter(60));
        self::assertTrue($cache->getItem('default')->isHit());
        usleep(1_200_000);
        self::assertFalse($cache->getItem('default')->isHit());
        self::assertTrue($cache->getItem('longer')->isHit());
    }

    public function testDeferredItemsOfManyKindsAreWrittenTogether(): void
    {
        foreach (range(1, 6) as $n) {
            $item = $this->cache->getItem("k$n")->set($n)->tag($n % 2 ? ['odd'] : ['even', 'all']);
            $item->expiresAfter($n === 6 ? -1 : ($n % 3 ? null : 60));
            self::assertTrue($this->cache->saveDeferred($item));
        }
        self::assertTrue($this->cache->commit());
        $values = [];
        foreach ($this->cache->getItems(['k5', 'k1', 'k6', 'none', 'k2']) as $key => $item) {
            $values[$key] = $item->isHit() ? $item->get() : null;
        }
        ksort($values);
        self::assertSame(['k1' => 1, 'k2' => 2, 'k5' => 5, 'k6' => null, 'none' => null], $values);
        $this->cache->invalidateTags(['all']);
        self::assertFalse($this->cache->hasItem('k2'));
        self::assertTrue($this->cache->hasItem('k3'));
    }

    public function testClearWithAPrefix(): void
    {
        foreach (['foo.1', 'foo,2', 'bar', 'fo', 'xfoo'] as $key) {
            $this->cache->save($this->cache->getItem($key)->set(1)->tag('tag'));
        }
        self::assertTrue($this->cache->clear('foo'));
        self::assertFalse($this->cache->hasItem('foo.1'));
        self::assertFalse($this->cache->hasItem('foo,2'));
        foreach (['bar', 'fo', 'xfoo'] as $key) {
            self::assertTrue($this->cache->hasItem($key), $key);
        }
        self::assertTrue($this->cache->clear());
        self::assertFalse($this->cache->hasItem('bar'));
    }

    public function testClearRemovesItsOwnNamespaceOnly(): void
    {
        $client = Server::handle();
        $client->set("$this->namespace-raw", 1, [], 60_000);
        $longer = new TagCacheAdapter($client, $this->namespace . 'x');
        $none = new TagCacheAdapter($client);
        $key = 'k' . bin2hex(random_bytes(4));
        foreach ([$this->cache, $longer, $none] as $cache) {
            $cache->save($cache->getItem($key)->set(1)->tag('tag'));
        }
        $this->cache->invalidateTags(['tag']);
        self::assertFalse($this->cache->hasItem($key));
        self::assertTrue($longer->hasItem($key));
        self::assertTrue($none->hasItem($key));
        $longer->clear();
        self::assertFalse($longer->hasItem($key));
        self::assertTrue($none->hasItem($key));
        $this->cache->save($this->cache->getItem($key)->set(1));
        $none->clear();
        self::assertFalse($none->hasItem($key));
        self::assertTrue($this->cache->hasItem($key));
        self::assertTrue($client->delete("$this->namespace-raw"));
    }

    public function testKeysOfAllKinds(): void
    {
        $keys = ['a b', 'a,b', 'a%2Cb', "nul\0", "tab\t", "line\n", 'ü', "\xff", '0', '12'];
        foreach ($keys as $n => $key) {
            self::assertTrue($this->cache->save($this->cache->getItem($key)->set($n)));
        }
        foreach ($this->adapter()->getItems($keys) as $key => $item) {
            self::assertSame(array_search((string) $key, $keys, true), $item->get());
        }
        self::assertTrue($this->cache->deleteItems($keys));
        self::assertFalse($this->cache->hasItem("nul\0"));
    }

    public function testManyKeysOutliveTheParentsMemoryOfIds(): void
    {
        for ($n = 0; $n < 1_100; ++$n) {
            $this->cache->saveDeferred($this->cache->getItem('k' . ($n % 7))->set($n));
            $this->cache->hasItem((string) $n);
        }
        $this->cache->save($this->cache->getItem('42')->set('x'));
        self::assertSame('x', $this->cache->getItem('42')->get());
    }

    public function testValuesThatLookLikeTheWrapping(): void
    {
        $values = [
            ['value' => 1], ['value' => 1, 'tags' => ['x' => 'x']], ["\x9D1234567\x5F" => 'v'], ['tags' => 'x'],
            null, false, 0, '', [], NAN,
        ];
        foreach ($values as $n => $value) {
            $this->cache->save($this->cache->getItem("k$n")->set($value));
        }
        foreach ($values as $n => $value) {
            $item = $this->cache->getItem("k$n");
            self::assertTrue($item->isHit());
            is_float($value) ? self::assertNan($item->get()) : self::assertSame($value, $item->get());
        }
    }

    public function testAValueThatCannotBeUnserializedIsAMissOfItsOwn(): void
    {
        $logger = $this->logger();
        $this->cache->setLogger($logger);
        $this->cache->save($this->cache->getItem('good')->set(1));
        $this->cache->save($this->cache->getItem('bad')->set(new Unreadable()));
        self::assertFalse($this->cache->getItem('bad')->isHit());
        $hits = [];
        foreach ($this->cache->getItems(['bad', 'good']) as $key => $item) {
            $hits[$key] = $item->isHit();
        }
        ksort($hits);
        self::assertSame(['bad' => false, 'good' => true], $hits);
        self::assertCount(2, $logger->lines);
        self::assertSame(2, $this->cache->get('bad', static fn () => 2));
        self::assertSame(2, $this->cache->getItem('bad')->get());
    }

    public function testAValueThatCannotBeSerializedFailsAlone(): void
    {
        $logger = $this->logger();
        $this->cache->setLogger($logger);
        $this->cache->saveDeferred($this->cache->getItem('bad')->set(static fn () => 1));
        $this->cache->saveDeferred($this->cache->getItem('good')->set(1));
        self::assertFalse($this->cache->commit());
        self::assertTrue($this->cache->hasItem('good'));
        self::assertFalse($this->cache->hasItem('bad'));
        self::assertCount(1, $logger->lines);
    }

    public function testWithoutAServerThereAreOnlyMisses(): void
    {
        $cache = new TagCacheAdapter(Server::absent(), 'x');
        $logger = $this->logger();
        $cache->setLogger($logger);
        self::assertFalse($cache->getItem('key')->isHit());
        self::assertSame(5, $cache->get('key', static fn () => 5));
        self::assertFalse($cache->hasItem('key'));
        self::assertFalse($cache->save($cache->getItem('key')->set(1)));
        self::assertFalse($cache->deleteItem('key'));
        self::assertFalse($cache->invalidateTags(['a']));
        self::assertFalse($cache->clear());
        self::assertGreaterThan(6, count($logger->lines));
        foreach ($cache->getItems(['a', 'b']) as $item) {
            self::assertFalse($item->isHit());
        }
    }

    public function testResetWritesWhatWasDeferred(): void
    {
        $this->cache->saveDeferred($this->cache->getItem('key')->set(1));
        $this->cache->reset();
        self::assertTrue($this->adapter()->hasItem('key'));
    }

    public function testItCannotBeSerialized(): void
    {
        $this->expectException(\BadMethodCallException::class);
        serialize($this->cache);
    }

    private function logger(): AbstractLogger
    {
        return new class () extends AbstractLogger {
            public array $lines = [];

            public function log($level, $message, array $context = []): void
            {
                $this->lines[] = "$level $message";
            }
        };
    }
}
