<?php

declare(strict_types=1);

namespace TagCache\Tests\Symfony;

use PHPUnit\Framework\TestCase;
use Symfony\Component\Cache\Adapter\TagAwareAdapterInterface;
use Symfony\Contracts\Cache\ItemInterface;
use Symfony\Contracts\Cache\TagAwareCacheInterface;
use TagCache\Symfony\TagCacheAdapter;
use TagCache\Tests\Docs;

/** The lines of docs/frameworks.md in a kernel with Symfony's framework bundle. */
final class KernelTest extends TestCase
{
    private string $directory;

    protected function setUp(): void
    {
        $this->directory = sys_get_temp_dir() . '/tagcache-kernel-' . bin2hex(random_bytes(6));
        mkdir($this->directory);
        if (!class_exists(\Composer\InstalledVersions::class)) {
            require __DIR__ . '/InstalledVersions.php';
        }
    }

    protected function tearDown(): void
    {
        (new \Symfony\Component\Filesystem\Filesystem())->remove($this->directory);
    }

    private function kernel(string ...$configs): Kernel
    {
        foreach ($configs as $n => $config) {
            file_put_contents("$this->directory/$n.yaml", $config);
        }
        $kernel = new Kernel($this->directory);
        $kernel->boot();

        return $kernel;
    }

    public function testTheLinesOfTheDocumentation(): void
    {
        $kernel = $this->kernel(Docs::block('symfony'));
        $cache = $kernel->getContainer()->get('test.app');
        self::assertInstanceOf(TagCacheAdapter::class, $cache);
        self::assertInstanceOf(TagAwareCacheInterface::class, $cache);
        $key = 'k' . bin2hex(random_bytes(4));
        $make = static fn (ItemInterface $item) => $item->tag([$key])->getKey();
        self::assertSame($key, $cache->get($key, $make));
        self::assertTrue($cache->getItem($key)->isHit());
        self::assertTrue($cache->invalidateTags([$key]));
        self::assertFalse($cache->getItem($key)->isHit());

        $cache->save($cache->getItem($key)->set(1));
        $kernel->getContainer()->get('test.clearer')->clearPool('cache.app');
        self::assertFalse($cache->getItem($key)->isHit(), 'cache:pool:clear');
        $kernel->shutdown();
    }

    /** @dataProvider pools */
    public function testEveryInterfaceOfAPoolIsTheSameCache(string $pool): void
    {
        $kernel = $this->kernel(Docs::block('symfony'), Docs::block('symfony pool'));
        [$cache, $tagged, $items] = $kernel->getContainer()->get(Autowired::class)->caches[$pool];
        foreach ([$cache, $tagged, $items] as $one) {
            self::assertInstanceOf(TagCacheAdapter::class, $one);
        }

        $key = 'k' . bin2hex(random_bytes(4));
        $make = static fn (ItemInterface $item) => [$item->tag([$key]), $item->getKey()][1];
        self::assertSame($key, $cache->get($key, $make));
        self::assertTrue($tagged->invalidateTags([$key]));
        self::assertFalse($items->hasItem($key), 'saved by CacheInterface, invalidated by TagAwareCacheInterface');

        $items->save($items->getItem($key)->set('items')->tag([$key]));
        self::assertSame('items', $tagged->get($key, $make));
        self::assertTrue($tagged->invalidateTags([$key]));
        self::assertSame($key, $tagged->get($key, $make));
        self::assertSame($key, $cache->get($key, static fn () => 'not this'), 'saved by TagAwareCacheInterface');
        self::assertTrue($cache->invalidateTags([$key]));
        self::assertSame('anew', $tagged->get($key, static fn () => 'anew'));
        $cache->delete($key);
        self::assertFalse($items->hasItem($key));
        $kernel->shutdown();
    }

    public static function pools(): array
    {
        return [['app'], ['pages.pool']];
    }

    public function testPoolsOfTheirOwn(): void
    {
        $pools = [
            'pools:',
            '    short.pool: { adapter: cache.adapter.tagcache, default_lifetime: 1, public: true }',
            '    other.pool: { adapter: cache.adapter.tagcache, public: true }',
        ];
        $kernel = $this->kernel(Docs::block('symfony') . '        ' . implode("\n        ", $pools) . "\n");
        $short = $kernel->getContainer()->get('short.pool');
        $other = $kernel->getContainer()->get('other.pool');
        self::assertInstanceOf(TagAwareAdapterInterface::class, $short);
        foreach ([$short, $other] as $pool) {
            $pool->save($pool->getItem('key')->set(1)->tag('tag'));
        }
        $other->invalidateTags(['tag']);
        self::assertFalse($other->hasItem('key'));
        self::assertTrue($short->hasItem('key'), 'pools have namespaces of their own');
        usleep(1_100_000);
        self::assertFalse($short->hasItem('key'));

        // Between requests Symfony resets its services; what was deferred must not be lost.
        $other->saveDeferred($other->getItem('later')->set(1));
        $kernel->getContainer()->get('test.resetter')->reset();
        self::assertTrue($other->hasItem('later'));
        $other->clear();
        $kernel->shutdown();
    }
}
