<?php

declare(strict_types=1);

namespace TagCache\Tests\Psr;

use PHPUnit\Framework\TestCase;
use Psr\Cache\CacheItemInterface;
use TagCache\Psr6\InvalidArgumentException;
use TagCache\Psr6\Item;
use TagCache\Psr6\Pool;
use TagCache\Tests\Server;
use TagCache\Tests\Unreadable;

/** What the public suite does not ask of the PSR-6 pool. */
final class PoolTest extends TestCase
{
    private string $namespace;
    private Pool $pool;
    /** @var list<string> */
    private array $failures = [];

    protected function setUp(): void
    {
        $this->namespace = Server::freshNamespace();
        $this->pool = $this->pool(Server::handle());
    }

    protected function tearDown(): void
    {
        $this->pool->clear();
    }

    private function pool(\TagCache $client, ?int $defaultTtl = null): Pool
    {
        return new Pool($client, $this->namespace, $defaultTtl, function (\Exception $e, string $operation): void {
            $this->failures[] = $operation . ' ' . $e::class;
        });
    }

    public function testClearRemovesItsOwnNamespaceOnly(): void
    {
        $client = Server::handle();
        $other = new Pool($client, $this->namespace . 'x');
        $other->save($other->getItem('key')->set('other')->setTags(['tag']));
        $client->set("$this->namespace-raw", 'raw', ['tag'], 60_000);
        $this->pool->save($this->pool->getItem('key')->set('mine')->setTags(['tag']));

        self::assertTrue($this->pool->invalidateTag('tag'));
        self::assertTrue($other->hasItem('key'), 'a tag of another namespace is another tag');
        $this->pool->save($this->pool->getItem('key')->set('mine'));
        self::assertTrue($this->pool->clear());
        self::assertFalse($this->pool->hasItem('key'));
        self::assertSame('other', $other->getItem('key')->get());
        self::assertSame('raw', $client->get("$this->namespace-raw"));
        self::assertTrue($other->clear());
        self::assertFalse($other->hasItem('key'));
        $client->delete("$this->namespace-raw");
    }

    public function testSavingReplacesTheTags(): void
    {
        $this->pool->save($this->pool->getItem('key')->set(1)->setTags(['a', 'b']));
        $item = $this->pool->getItem('key');
        self::assertSame(['a', 'b'], $item->getPreviousTags());
        $this->pool->save($item->set(2)->setTags(['b', 'c']));
        self::assertSame(['b', 'c'], $this->pool->getItem('key')->getPreviousTags());
        $this->pool->invalidateTag('a');
        self::assertTrue($this->pool->hasItem('key'));
        $this->pool->invalidateTag('c');
        self::assertFalse($this->pool->hasItem('key'));
    }

    public function testDeferredItemsOfManyKindsAreWrittenTogether(): void
    {
        foreach (range(1, 9) as $n) {
            $item = $this->pool->getItem("k$n")->set($n)->setTags([$n % 2 ? 'odd' : 'even']);
            $this->pool->saveDeferred($n === 9 ? $item->expiresAfter(-1) : $item->expiresAfter($n % 3 ? null : 60));
        }
        self::assertTrue($this->pool->commit());
        $items = $this->pool->getItems(['k1', 'k2', 'k3', 'k9']);
        self::assertSame([1, 2, 3, null], array_values(array_map(static fn ($item) => $item->get(), $items)));
        $this->pool->invalidateTags(['odd']);
        self::assertFalse($this->pool->hasItem('k3'));
        self::assertTrue($this->pool->hasItem('k2'));
    }

    public function testInvalidationReachesDeferredItems(): void
    {
        $this->pool->saveDeferred($this->pool->getItem('gone')->set(1)->setTags(['tag']));
        $this->pool->saveDeferred($this->pool->getItem('stays')->set(1)->setTags(['other']));
        $this->pool->invalidateTag('tag');
        $this->pool->commit();
        self::assertFalse($this->pool->hasItem('gone'));
        self::assertTrue($this->pool->hasItem('stays'));
    }

    public function testItemsOfOtherLibrariesAreRefused(): void
    {
        $foreign = $this->createMock(CacheItemInterface::class);
        self::assertFalse($this->pool->save($foreign));
        self::assertFalse($this->pool->saveDeferred($foreign));
    }

    public function testDefaultTimeToLive(): void
    {
        $pool = $this->pool(Server::handle(), 1);
        $pool->save($pool->getItem('default')->set(1));
        $pool->save($pool->getItem('longer')->set(1)->expiresAfter(60));
        self::assertTrue($pool->hasItem('default'));
        usleep(1_100_000);
        self::assertFalse($pool->hasItem('default'));
        self::assertTrue($pool->hasItem('longer'));
    }

    public function testFractionsOfASecondCount(): void
    {
        $at = \DateTimeImmutable::createFromFormat('U.u', sprintf('%.6F', microtime(true) + 0.2));
        $this->pool->save($this->pool->getItem('key')->set(1)->expiresAt($at));
        self::assertTrue($this->pool->hasItem('key'));
        usleep(300_000);
        self::assertFalse($this->pool->hasItem('key'));
    }

    public function testKeysOfAllKinds(): void
    {
        $keys = ['0', '12', 'a b', 'a,b', 'a%2Cb', "tab\t", "line\n", "nul\0", 'ü', "\xff", ' x ', str_repeat('k', 500)];
        foreach ($keys as $n => $key) {
            self::assertTrue($this->pool->save($this->pool->getItem($key)->set($n)->setTags([$key])));
        }
        $items = $this->pool->getItems($keys);
        self::assertCount(count($keys), $items);
        foreach ($keys as $n => $key) {
            self::assertSame($n, $items[$key]->get());
            self::assertSame($key, $items[$key]->getKey());
            self::assertSame([$key], $items[$key]->getPreviousTags());
        }
        $this->pool->invalidateTags(["nul\0", 'a,b']);
        self::assertFalse($this->pool->hasItem("nul\0"));
        self::assertFalse($this->pool->hasItem('a,b'));
        self::assertTrue($this->pool->hasItem('a%2Cb'));
        self::assertTrue($this->pool->deleteItems($keys));
        self::assertFalse($this->pool->hasItem('0'));
    }

    public function testAValueThatCannotBeSerializedFailsAlone(): void
    {
        $this->pool->saveDeferred($this->pool->getItem('bad')->set(static fn () => 1));
        $this->pool->saveDeferred($this->pool->getItem('good')->set(1));
        self::assertFalse($this->pool->commit());
        self::assertTrue($this->pool->hasItem('good'));
        self::assertFalse($this->pool->hasItem('bad'));
        self::assertSame(['save TagCache\SerializationException'], $this->failures);
    }

    public function testAValueThatCannotBeReadIsAMissOfItsOwn(): void
    {
        $this->pool->save($this->pool->getItem('good')->set(1));
        $this->pool->save($this->pool->getItem('bad')->set(new Unreadable()));
        self::assertSame([true, false, false], array_map(
            static fn (Item $item) => $item->isHit(),
            array_values($this->pool->getItems(['good', 'bad', 'absent'])),
        ));
        self::assertSame(['getItems RuntimeException'], $this->failures);
        self::assertFalse($this->pool->getItem('bad')->isHit());
        self::assertSame(['getItems RuntimeException', 'getItem RuntimeException'], $this->failures);
    }

    public function testWithoutAServerThereAreOnlyMisses(): void
    {
        $pool = $this->pool(Server::absent());
        self::assertFalse($pool->getItem('key')->isHit());
        self::assertFalse($pool->getItems(['a', 'b'])['b']->isHit());
        self::assertFalse($pool->hasItem('key'));
        self::assertFalse($pool->save($pool->getItem('key')->set(1)));
        self::assertFalse($pool->deleteItem('key'));
        self::assertFalse($pool->invalidateTag('tag'));
        self::assertFalse($pool->clear());
        $pool->saveDeferred((new Item('key', 1, false, []))->set(1));
        $pool->saveDeferred((new Item('key2', 1, false, []))->set(1));
        self::assertFalse($pool->commit());
        self::assertCount(9, $this->failures);
        self::assertSame('getItem TagCache\ConnectionException', $this->failures[0]);
    }

    /** @dataProvider badExpirations */
    public function testExpirationsOfAWrongType(string $method, mixed $value): void
    {
        $item = $this->pool->getItem('key');
        $this->expectException(InvalidArgumentException::class);
        $item->$method($value);
    }

    public static function badExpirations(): array
    {
        return [['expiresAt', 5], ['expiresAt', 'now'], ['expiresAfter', '5'], ['expiresAfter', 1.5], ['expiresAfter', []]];
    }

    public function testWhatOthersStoreInTheRoomIsAValue(): void
    {
        $room = Server::handle()->withPrefix("$this->namespace/psr6:");
        foreach (['text', 5, [1, 2, 3], [1, 2], null] as $n => $value) {
            $room->set("theirs$n", $value, [], 60_000);
            $item = $this->pool->getItem("theirs$n");
            self::assertSame([true, $value, []], [$item->isHit(), $item->get(), $item->getPreviousTags()]);
        }
    }

    public function testTagsOfAnInvalidationAreChecked(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->pool->invalidateTags(['fine', 'not:fine']);
    }

    public function testAListHasNoNames(): void
    {
        $pool = $this->pool;
        $calls = [
            'getItems' => fn () => $pool->getItems(['ex' => 'a']),
            'deleteItems' => fn () => $pool->deleteItems(['a', 'ex' => 'b']),
            'invalidateTags' => fn () => $pool->invalidateTags(['ex' => 'a']),
            'setTags' => fn () => $pool->getItem('a')->setTags(['nx', 'ex' => '60']),
        ];
        foreach ($calls as $what => $call) {
            try {
                $call();
                self::fail("$what took it");
            } catch (InvalidArgumentException $e) {
                self::assertStringContainsString('"ex"', $e->getMessage(), $what);
            }
        }
        self::assertStringContainsString('expiresAfter()', $e->getMessage());
        $pool->save($pool->getItem('a')->set(1)->setTags(array_filter(['x', '', 'y'])));
        self::assertSame(['a'], array_keys($pool->getItems([3 => 'a'])));
        self::assertTrue($pool->invalidateTags([7 => 'y']));
        self::assertFalse($pool->hasItem('a'));
    }
}
