<?php

declare(strict_types=1);

namespace TagCache\Tests\Psr;

use PHPUnit\Framework\TestCase;
use TagCache\Psr16\Cache;
use TagCache\Psr16\InvalidArgumentException;
use TagCache\Tests\Server;
use TagCache\Tests\Unreadable;

/** What the public suite does not ask of the PSR-16 cache. */
final class CacheTest extends TestCase
{
    private string $namespace;
    private Cache $cache;

    protected function setUp(): void
    {
        $this->namespace = Server::freshNamespace();
        $this->cache = new Cache(Server::dsn(), $this->namespace);
    }

    protected function tearDown(): void
    {
        $this->cache->clear();
    }

    public function testClearRemovesItsOwnNamespaceOnly(): void
    {
        $client = Server::handle();
        $other = new Cache($client, $this->namespace . '.2');
        $client->set("$this->namespace-raw", 'raw', [], 60_000);
        $this->cache->set('key', 1);
        $this->cache->setMultiple(['a' => 1, 'b' => 2], 60);
        $other->set('key', 2);
        self::assertTrue($this->cache->clear());
        self::assertSame(['key' => null, 'a' => null, 'b' => null], $this->cache->getMultiple(['key', 'a', 'b']));
        self::assertSame(2, $other->get('key'));
        self::assertSame('raw', $client->get("$this->namespace-raw"));
        $other->clear();
        $client->delete("$this->namespace-raw");
    }

    public function testAStoredNullIsNoMiss(): void
    {
        $this->cache->set('null', null);
        self::assertNull($this->cache->get('null', 'default'));
        self::assertSame(['null' => null, 'none' => 'default'], $this->cache->getMultiple(['null', 'none'], 'default'));
        self::assertTrue($this->cache->has('null'));
    }

    public function testOrderAndNumericKeys(): void
    {
        $this->cache->setMultiple([7 => 'seven', 'a' => 'A']);
        self::assertSame(['a' => 'A', 7 => 'seven', 'b' => null], $this->cache->getMultiple(['a', '7', 'b']));
    }

    public function testDefaultTimeToLive(): void
    {
        $cache = new Cache(Server::handle(), $this->namespace, 1);
        $cache->set('default', 1);
        $cache->setMultiple(['many' => 1]);
        $cache->set('longer', 1, 60);
        usleep(1_100_000);
        self::assertFalse($cache->has('default'));
        self::assertFalse($cache->has('many'));
        self::assertTrue($cache->has('longer'));
    }

    public function testAVeryLongTimeToLive(): void
    {
        self::assertTrue($this->cache->set('key', 1, PHP_INT_MAX));
        self::assertSame(1, $this->cache->get('key'));
    }

    public function testAnIntervalThatIsOverDeletes(): void
    {
        $this->cache->set('key', 1);
        $back = new \DateInterval('PT5S');
        $back->invert = 1;
        self::assertTrue($this->cache->set('key', 2, $back));
        self::assertFalse($this->cache->has('key'));
    }

    public function testWithoutAServerThereAreOnlyMisses(): void
    {
        $failures = [];
        $cache = new Cache(Server::absent(), 'x', null, static function (\Exception $e, string $what) use (&$failures) {
            $failures[] = $what;
        });
        self::assertSame('default', $cache->get('key', 'default'));
        self::assertFalse($cache->set('key', 1));
        self::assertFalse($cache->setMultiple(['key' => 1]));
        self::assertFalse($cache->delete('key'));
        self::assertFalse($cache->has('key'));
        self::assertFalse($cache->clear());
        self::assertSame(['a' => 'd'], $cache->getMultiple(['a'], 'd'));
        self::assertSame(['get', 'set', 'setMultiple', 'delete', 'has', 'clear', 'getMultiple'], $failures);
    }

    public function testByDefaultTheErrorLogHearsOfEachFailureOnce(): void
    {
        $log = tempnam(sys_get_temp_dir(), 'log');
        $before = ini_set('error_log', $log);
        try {
            $cache = new Cache(Server::absent());
            $cache->get('a');
            $cache->get('b');
            $cache->has('c');
        } finally {
            ini_set('error_log', (string) $before);
        }
        $lines = file($log);
        unlink($log);
        self::assertCount(2, $lines);
        self::assertStringContainsString('tagcache: get failed: TagCache\ConnectionException: ', $lines[0]);
        self::assertStringContainsString('tagcache: has failed: ', $lines[1]);
    }

    public function testAValueThatCannotBeReadIsAMissOfItsOwn(): void
    {
        $failures = [];
        $cache = new Cache(Server::dsn(), $this->namespace, null, function (\Exception $e, string $operation) use (&$failures): void {
            $failures[] = "$operation: {$e->getMessage()}";
        });
        self::assertTrue($cache->setMultiple(['good' => 1, 'bad' => new Unreadable(), 'also' => 2]));
        self::assertSame(['good' => 1, 'bad' => 'none', 'also' => 2, 'absent' => 'none'], $cache->getMultiple(['good', 'bad', 'also', 'absent'], 'none'));
        self::assertSame(['getMultiple: unreadable'], $failures);
        self::assertSame(['bad' => null], $cache->getMultiple(['bad']));
        self::assertSame('none', $cache->get('bad', 'none'));
        self::assertSame(['getMultiple: unreadable', 'getMultiple: unreadable', 'get: unreadable'], $failures);
    }

    public function testTheClientMayBeOptions(): void
    {
        [$host, $port] = explode(':', parse_url(Server::dsn(), PHP_URL_HOST) . ':' . parse_url(Server::dsn(), PHP_URL_PORT));
        $cache = new Cache(['host' => $host, 'port' => (int) $port], $this->namespace);
        $cache->set('key', 1);
        self::assertSame(1, $this->cache->get('key'));
    }

    public function testAListHasNoNames(): void
    {
        $generator = static function (): \Generator {
            yield 'ex' => 'a';
        };
        $calls = [
            fn () => $this->cache->getMultiple(['ex' => 'a']),
            fn () => $this->cache->getMultiple($generator()),
            fn () => $this->cache->deleteMultiple(['a', 'ex' => 'b']),
        ];
        foreach ($calls as $what => $call) {
            try {
                $call();
                self::fail("$what took it");
            } catch (InvalidArgumentException $e) {
                self::assertStringContainsString('"ex"', $e->getMessage(), (string) $what);
            }
        }
        self::assertSame(['a' => null], $this->cache->getMultiple([3 => 'a']));
    }
}
