<?php

declare(strict_types=1);

namespace TagCache\Tests\Psr;

use PHPUnit\Framework\TestCase;
use TagCache;
use TagCache\Psr6\Pool;
use TagCache\Symfony\TagCacheAdapter;
use TagCache\Tests\Server;

/** What deferred items cost. */
final class DeferredTest extends TestCase
{
    private TagCache $client;

    protected function setUp(): void
    {
        $this->client = Server::handle();
    }

    private function exchanges(callable $run): int
    {
        $before = $this->client->poolStats()['check_outs'];
        $run();

        return $this->client->poolStats()['check_outs'] - $before;
    }

    public function testItemsWithTagsAndTimesOfTheirOwnGoTogether(): void
    {
        $pool = new Pool($this->client, Server::freshNamespace());
        for ($n = 0; $n < 1000; ++$n) {
            $pool->saveDeferred((new TagCache\Psr6\Item("k$n", null, false, []))->set($n)->setTags(["t$n"])->expiresAfter(60 + $n));
        }
        self::assertSame(1, $this->exchanges(static fn () => self::assertTrue($pool->commit())));
        self::assertSame([17, ['t17']], [$pool->getItem('k17')->get(), $pool->getItem('k17')->getPreviousTags()]);
        $pool->invalidateTag('t999');
        self::assertFalse($pool->hasItem('k999'));
        self::assertTrue($pool->hasItem('k998'));

        for ($n = 0; $n < 2500; ++$n) {
            $pool->saveDeferred((new TagCache\Psr6\Item("k$n", null, false, []))->set($n));
        }
        self::assertSame(3, $this->exchanges(static fn () => self::assertTrue($pool->commit())), 'a thousand at once');
        $pool->clear();
    }

    public function testSymfonysItemsWithTagsOfTheirOwnGoTogether(): void
    {
        $cache = new TagCacheAdapter($this->client, Server::freshNamespace());
        foreach ($cache->getItems(array_map(static fn (int $n) => "k$n", range(1, 1000))) as $key => $item) {
            $cache->saveDeferred($item->set($key)->tag("t$key"));
        }
        self::assertSame(1, $this->exchanges(static fn () => self::assertTrue($cache->commit())));
        $cache->invalidateTags(['tk7']);
        self::assertSame([false, true], [$cache->hasItem('k7'), $cache->hasItem('k8')]);
        $cache->clear();
    }

    public function testOneThatCannotBeStoredCostsFew(): void
    {
        $failures = [];
        $pool = new Pool($this->client, Server::freshNamespace(), null, static function (\Exception $e, string $operation) use (&$failures): void {
            $failures[] = $operation . ' ' . $e::class;
        });
        for ($n = 0; $n < 1000; ++$n) {
            $value = $n === 613 ? static fn () => 1 : $n;
            $pool->saveDeferred((new TagCache\Psr6\Item("k$n", null, false, []))->set($value)->setTags(["t$n"]));
        }
        self::assertLessThan(20, $this->exchanges(static fn () => self::assertFalse($pool->commit())));
        self::assertSame(['save TagCache\SerializationException'], $failures);
        self::assertCount(999, array_filter(
            $pool->getItems(array_map(static fn (int $n) => "k$n", range(0, 999))),
            static fn ($item) => $item->isHit(),
        ));
        $pool->clear();
    }
}
