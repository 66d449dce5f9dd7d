<?php

declare(strict_types=1);

namespace TagCache\Tests;

use PHPUnit\Framework\TestCase;
use TagCache\Laravel\Store;
use TagCache\Psr16\Cache;
use TagCache\Psr6\Pool;
use TagCache\Session\Handler;
use TagCache\Support\Mutex;
use TagCache\Symfony\TagCacheAdapter;

/** The longest times that can be written: for ever, as good as. */
final class TimesTest extends TestCase
{
    private string $namespace;

    protected function setUp(): void
    {
        $this->namespace = Server::freshNamespace();
        set_error_handler(static function (int $level, string $message): never {
            throw new \LogicException($message);
        });
    }

    protected function tearDown(): void
    {
        restore_error_handler();
    }

    private static function loud(): \Closure
    {
        return static fn (\Exception $e) => throw $e;
    }

    /** @testWith [9223372036854775807]
     *            [9223372036854776]
     *            [3155760000001]
     */
    public function testSeconds(int $seconds): void
    {
        $pool = new Pool(Server::handle(), $this->namespace, $seconds, self::loud());
        self::assertTrue($pool->save($pool->getItem('default')->set(1)));
        self::assertTrue($pool->save($pool->getItem('own')->set(1)->expiresAfter($seconds)));
        self::assertSame([true, true], [$pool->hasItem('default'), $pool->hasItem('own')]);
        $pool->clear();

        $cache = new Cache(Server::handle(), $this->namespace, $seconds, self::loud());
        self::assertTrue($cache->set('default', 1));
        self::assertTrue($cache->setMultiple(['own' => 1], $seconds));
        self::assertSame([true, true], [$cache->has('default'), $cache->has('own')]);
        $cache->clear();

        $symfony = new TagCacheAdapter(Server::handle(), $this->namespace, $seconds);
        self::assertTrue($symfony->save($symfony->getItem('default')->set(1)));
        self::assertTrue($symfony->hasItem('default'));
        $symfony->clear();

        $store = new Store(Server::handle(), $this->namespace);
        self::assertTrue($store->put('key', 'v', $seconds));
        self::assertTrue($store->add('n', 1, $seconds));
        self::assertSame(2, $store->increment('n'));
        self::assertTrue($store->touch('key', $seconds));
        self::assertTrue($store->touch('n', $seconds));
        self::assertSame(['v', 2], [$store->get('key'), $store->get('n')]);
        $store->flush();
        $lock = $store->lock('l', $seconds);
        self::assertTrue($lock->get());
        self::assertTrue($lock->refresh($seconds));
        self::assertTrue($lock->release());

        $handler = new Handler(Server::handle(), $this->namespace, $seconds, true, $seconds, $seconds);
        self::assertSame('', $handler->read('id'));
        self::assertTrue($handler->write('id', 'data'));
        self::assertTrue($handler->close());
        self::assertSame('data', $handler->read('id'));
        self::assertTrue($handler->destroy('id'));
        self::assertTrue($handler->close());

        $one = new Mutex(Server::handle(), "$this->namespace:lock");
        self::assertTrue($one->acquireWithin($seconds, $seconds));
        self::assertTrue($one->refresh($seconds));
        self::assertTrue($one->release());

        // Long enough to wait for somebody.
        $other = new Mutex(Server::handle(), "$this->namespace:lock");
        self::assertTrue($other->acquire(30));
        self::assertTrue($one->acquireWithin($seconds, 1_000));
        self::assertTrue($one->release());
    }

    public function testIntervals(): void
    {
        $cache = new Cache(Server::handle(), $this->namespace, null, self::loud());
        foreach (['P9999Y', 'P999999Y', 'P999999999Y', 'P9999999999D'] as $interval) {
            self::assertTrue($cache->set('key', $interval, new \DateInterval($interval)), $interval);
            self::assertSame($interval, $cache->get('key'), $interval);
        }
        $cache->clear();
    }

    public function testAMoment(): void
    {
        $pool = new Pool(Server::handle(), $this->namespace, null, self::loud());
        self::assertTrue($pool->save($pool->getItem('k')->set(1)->expiresAt(new \DateTimeImmutable('@9223372036854775'))));
        self::assertTrue($pool->hasItem('k'));
        $pool->clear();
    }

    public function testTheLifeOfSessionsInThePhpIni(): void
    {
        $code = <<<'PHP'
            require $argv[1];
            ini_set('session.gc_maxlifetime', (string) PHP_INT_MAX);
            $handler = new TagCache\Session\Handler(TagCache\Tests\Server::handle(), $argv[2]);
            $handler->read('id');
            var_dump($handler->write('id', 'data'), $handler->close(), $handler->read('id'));
            $handler->destroy('id') && $handler->close();
            PHP;
        $child = Support\Processes::start($code, [__DIR__ . '/bootstrap.php', $this->namespace]);
        self::assertSame([0, "bool(true)\nbool(true)\nstring(4) \"data\"\n"], Support\Processes::finish($child));
    }
}
