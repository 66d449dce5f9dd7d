<?php

declare(strict_types=1);

namespace TagCache\Tests\Psr;

use PHPUnit\Framework\TestCase;
use TagCache\Psr16\Cache;
use TagCache\Psr6\Pool;
use TagCache\Tests\Release\Changes;
use TagCache\Tests\Server;

/** What was stored before a release and cannot be read after it is a miss, is reported once and made anew. */
final class ReleaseTest extends TestCase
{
    /** @var list<string> */
    private array $failures = [];

    private function heard(): \Closure
    {
        return function (\Exception $e, string $operation): void {
            $this->failures[] = $operation;
        };
    }

    /** @dataProvider changes */
    public function testPsr16(mixed $value, array $changes): void
    {
        $namespace = Server::freshNamespace();
        $cache = new Cache(Server::handle(), $namespace, null, $this->heard());
        $cache->setMultiple(['a' => 1, 'bad' => $value, 'b' => ['x'], 'c' => new \ArrayObject([1])], 60);
        Server::rewrite("$namespace/psr16:bad", $changes);

        self::assertSame('none', $cache->get('bad', 'none'));
        self::assertSame(['get'], $this->failures);
        $all = $cache->getMultiple(['a', 'bad', 'b', 'absent', 'c'], 'none');
        self::assertEquals(['a' => 1, 'bad' => 'none', 'b' => ['x'], 'absent' => 'none', 'c' => new \ArrayObject([1])], $all);
        self::assertSame(['get', 'getMultiple'], $this->failures);
        self::assertTrue($cache->set('bad', $value, 60));
        self::assertEquals($value, $cache->get('bad', 'none'));
        self::assertEquals(['bad' => $value], $cache->getMultiple(['bad']));
        self::assertCount(2, $this->failures);
        $cache->clear();
    }

    /** @dataProvider changes */
    public function testPsr6(mixed $value, array $changes): void
    {
        $namespace = Server::freshNamespace();
        $pool = new Pool(Server::handle(), $namespace, null, $this->heard());
        foreach (['plain' => [], 'tagged' => ['tag']] as $key => $tags) {
            $pool->save($pool->getItem($key)->set($value)->setTags($tags)->expiresAfter(60));
            Server::rewrite("$namespace/psr6:$key", $changes);
        }
        $pool->save($pool->getItem('good')->set([1])->setTags(['tag']));

        self::assertFalse($pool->getItem('plain')->isHit());
        self::assertNull($pool->getItem('tagged')->get());
        self::assertSame(['getItem', 'getItem'], $this->failures);
        $hits = array_map(static fn ($item) => $item->isHit(), $pool->getItems(['plain', 'good', 'tagged', 'absent']));
        self::assertSame(['plain' => false, 'good' => true, 'tagged' => false, 'absent' => false], $hits);
        self::assertSame(['getItem', 'getItem', 'getItems', 'getItems'], $this->failures);
        self::assertTrue($pool->save($pool->getItem('tagged')->set($value)->setTags(['tag'])));
        self::assertEquals($value, $pool->getItem('tagged')->get());
        $pool->clear();
    }

    public static function changes(): array
    {
        return Changes::all();
    }

    public function testAClassThatIsNotAllowedIsAMiss(): void
    {
        $namespace = Server::freshNamespace();
        $cache = new Cache(Server::handle(), $namespace);
        $cache->setMultiple([
            'no' => new \ArrayObject(), 'deep' => ['a' => [new \ArrayObject()]],
            'within' => new \SplObjectStorage(), 'yes' => new \SplObjectStorage(), 'array' => [1],
        ]);
        $within = new \SplObjectStorage();
        $within[$within] = new \ArrayObject();
        $cache->set('within', $within);
        $itself = [[1], null];
        $itself[1] = &$itself;
        $cache->set('itself', $itself);
        $careful = new Cache(
            Server::dsn() . '&unserialize_allowed_classes=SplObjectStorage',
            $namespace,
            null,
            $this->heard(),
        );
        $found = $careful->getMultiple(['no', 'deep', 'within', 'yes', 'array']);
        self::assertEquals(
            ['no' => null, 'deep' => null, 'within' => null, 'yes' => new \SplObjectStorage(), 'array' => [1]],
            $found,
        );
        self::assertSame(['getMultiple', 'getMultiple', 'getMultiple'], $this->failures);
        self::assertSame([1], $careful->get('itself')[1][1][0]);
        $cache->clear();
    }

    public function testManyBadOnesAmongThousands(): void
    {
        $namespace = Server::freshNamespace();
        $client = Server::handle();
        $cache = new Cache($client, $namespace, null, $this->heard());
        $values = array_fill(0, 1024, ['good']);
        $values[7] = $values[900] = new \TagCache\Tests\Release\Before();
        $cache->setMultiple($values, 60);
        foreach ([7, 900] as $n) {
            Server::rewrite("$namespace/psr16:$n", ['Before' => 'Typed_']);
        }
        $before = $client->poolStats()['check_outs'];
        $found = $cache->getMultiple(array_map('strval', array_keys($values)));
        self::assertLessThan(60, $client->poolStats()['check_outs'] - $before, 'not one by one');
        self::assertNull($found[7]);
        self::assertNull($found[900]);
        self::assertCount(1022, array_filter($found));
        self::assertSame(['getMultiple', 'getMultiple'], $this->failures);
        $cache->clear();
    }

    public function testAServerThatIsAwayIsAskedOnce(): void
    {
        $cache = new Cache(Server::absent(), 'x', null, $this->heard());
        self::assertSame(['a' => 0, 'b' => 0, 'c' => 0], $cache->getMultiple(['a', 'b', 'c'], 0));
        self::assertSame(['getMultiple'], $this->failures);
    }

    public function testTheSettingOfTheUserComesBack(): void
    {
        $before = ini_set('unserialize_callback_func', 'their_own');
        try {
            $cache = new Cache(Server::handle(), Server::freshNamespace());
            $cache->get('a');
            $cache->getMultiple(['a', 'b']);
            self::assertSame('their_own', ini_get('unserialize_callback_func'));
        } finally {
            ini_set('unserialize_callback_func', (string) $before);
        }
    }
}
