<?php

declare(strict_types=1);

namespace TagCache\Tests\Laravel;

use Illuminate\Cache\CacheManager;
use Illuminate\Cache\CacheServiceProvider;
use Illuminate\Cache\RateLimiter;
use Illuminate\Cache\Repository;
use Illuminate\Config\Repository as Config;
use Illuminate\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
use PHPUnit\Framework\TestCase;
use TagCache\Laravel\Store;
use TagCache\Laravel\TagCacheServiceProvider;
use TagCache\Tests\Docs;
use TagCache\Tests\Server;

/** The lines of README.md and docs/frameworks.md, with Laravel's own container, manager and providers. */
final class ApplicationTest extends TestCase
{
    /** @param class-string[] $providers */
    private function application(array $providers, array $store, array $more = []): Container
    {
        $app = new Container();
        $app->instance('config', new Config(['cache' => $more + [
            'default' => 'tagcache',
            'prefix' => Server::freshNamespace(),
            'stores' => ['tagcache' => $store],
        ]]));
        foreach ($providers as $provider) {
            (new $provider($app))->register();
        }

        return $app;
    }

    /** @testWith ["laravel"]
     *            ["readme laravel"]
     */
    public function testTheLinesOfTheDocumentation(string $block): void
    {
        $stores = eval('return [' . str_replace('env(', '\TagCache\Tests\Laravel\env(', Docs::block($block)) . '];');
        $app = $this->application([CacheServiceProvider::class, TagCacheServiceProvider::class], $stores['tagcache']);
        $cache = $app['cache']->store();
        self::assertInstanceOf(Repository::class, $cache);
        self::assertInstanceOf(Store::class, $cache->getStore());
        self::assertStringStartsWith($app['config']['cache.prefix'], $cache->getStore()->getPrefix());
        eval(Docs::block('laravel use'));
        self::assertSame(['name' => 'Ada'], $user);
        self::assertNull($cache->tags(['users'])->get('user:42'));
    }

    /** @dataProvider orders */
    public function testTheProviderMayComeFirstOrLate(bool $first): void
    {
        $providers = [TagCacheServiceProvider::class, CacheServiceProvider::class];
        $app = $this->application($first ? $providers : [CacheServiceProvider::class], [
            'driver' => 'tagcache', 'dsn' => Server::dsn(), 'prefix' => 'own-' . Server::freshNamespace(),
        ]);
        self::assertInstanceOf(CacheManager::class, $app['cache']);
        if (!$first) {
            (new TagCacheServiceProvider($app))->register();
        }
        $app['cache']->put('key', 'v', 60);
        self::assertSame('v', $app['cache']->get('key'));
        self::assertStringStartsWith('own-', $app['cache']->getPrefix());
        self::assertTrue($app['cache']->lock('l', 5)->get(static fn () => true));
        $app['cache']->clear();
        self::assertNull($app['cache']->get('key'));
    }

    public static function orders(): array
    {
        return ['first' => [true], 'when the manager is there already' => [false]];
    }

    public function testOptionsInsteadOfADsn(): void
    {
        $url = parse_url(Server::dsn());
        $app = $this->application([CacheServiceProvider::class, TagCacheServiceProvider::class], [
            'driver' => 'tagcache', 'options' => ['host' => $url['host'], 'port' => $url['port']],
        ]);
        self::assertTrue($app['cache']->add('key', 'v', 60));
        $app['cache']->clear();
    }

    /** @dataProvider classes */
    public function testWhichClassesMayBeUnserialized(mixed $setting, string $more, bool $date, bool $array): void
    {
        $url = parse_url(Server::dsn());
        parse_str($more, $options);
        foreach ([['dsn' => Server::dsn() . $more], ['options' => $options + ['host' => $url['host'], 'port' => $url['port']]]] as $store) {
            foreach ($store['options'] ?? [] as $name => $value) {
                $store['options'][$name] = $name === 'unserialize_allowed_classes' ? $value === '1' : $value;
            }
            $app = $this->application(
                [CacheServiceProvider::class, TagCacheServiceProvider::class],
                ['driver' => 'tagcache'] + $store,
                $setting === null ? [] : ['serializable_classes' => $setting],
            );
            $handler = $this->createMock(ExceptionHandler::class);
            $handler->expects(self::exactly((int) !$date + (int) !$array))->method('report')
                ->with(self::isInstanceOf(\TagCache\SerializationException::class));
            $app->instance(ExceptionHandler::class, $handler);
            foreach ([new \DateTimeImmutable('2026-01-01'), new \ArrayObject([1])] as $n => $object) {
                $app['cache']->put('key', $object, 60);
                // Laravel's own stores give an incomplete object; here it is a miss.
                $class = [$date, $array][$n] ? $object::class : 'null';
                self::assertSame($class, get_debug_type($app['cache']->get('key')), "object $n");
            }
            $app['cache']->put('key', ['an' => 'array'], 60);
            self::assertSame(['an' => 'array'], $app['cache']->get('key'));
            $app['cache']->clear();
        }
    }

    public static function classes(): array
    {
        return [
            'no setting' => [null, '', true, true],
            'all' => [true, '', true, true],
            'none' => [false, '', false, false],
            'a list' => [[\DateTimeImmutable::class], '', true, false],
            'an empty list' => [[], '', false, false],
            "the store's own option" => [false, '&unserialize_allowed_classes=1', true, true],
        ];
    }

    public function testTheRateLimiterCountsAWindow(): void
    {
        $app = $this->application([CacheServiceProvider::class, TagCacheServiceProvider::class], [
            'driver' => 'tagcache', 'dsn' => Server::dsn(),
        ]);
        $limiter = $app->make(RateLimiter::class);
        // One hit each 300 ms for 2.4 s, in windows of a second: never more than 5 in a window.
        for ($n = 0; $n < 8; ++$n) {
            self::assertFalse($limiter->tooManyAttempts('steady', 6), "hit $n");
            $limiter->hit('steady', 1);
            usleep(300_000);
        }
        for ($n = 0; $n < 3; ++$n) {
            self::assertFalse($limiter->tooManyAttempts('burst', 3));
            self::assertSame($n + 1, $limiter->hit('burst', 60));
        }
        self::assertTrue($limiter->tooManyAttempts('burst', 3));
        self::assertSame(0, $limiter->remaining('burst', 3));
        $limiter->clear('burst');
        self::assertFalse($limiter->tooManyAttempts('burst', 3));
        $app['cache']->clear();
    }
}

/** Stands for Laravel's env(), which needs a package that is not installed. */
function env(string $name, mixed $default = null): mixed
{
    return $default;
}
