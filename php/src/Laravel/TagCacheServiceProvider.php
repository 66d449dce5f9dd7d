<?php

declare(strict_types=1);

namespace TagCache\Laravel;

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Support\ServiceProvider;
use TagCache;

/**
 * Makes `'driver' => 'tagcache'` known to config/cache.php. Laravel finds it by itself.
 */
final class TagCacheServiceProvider extends ServiceProvider
{
    /**
     * What the store's lines of config/cache.php say of the handle.
     *
     * @param array<string, mixed> $config
     * @param list<class-string>|bool|null $classes which may be unserialized: a setting of Laravel
     *     for all stores since version 12, which the store's own option overrides
     */
    private static function client(array $config, array|bool|null $classes): TagCache
    {
        $default = $classes === null ? [] : ['unserialize_allowed_classes' => $classes];
        if (!isset($config['dsn'])) {
            return new TagCache(($config['options'] ?? []) + $default);
        }
        $dsn = (string) $config['dsn'];
        if ($default !== [] && !str_contains($dsn, 'unserialize_allowed_classes=')) {
            $names = is_array($classes) ? implode(',', $classes) : (string) (int) $classes;
            $dsn .= (str_contains($dsn, '?') ? '&' : '?') . 'unserialize_allowed_classes=' . rawurlencode($names);
        }

        return new TagCache($dsn);
    }

    /** @return void */
    public function register()
    {
        $client = self::client(...);
        $this->callAfterResolving('cache', function ($manager) use ($client): void {
            // Laravel binds it to the manager: it must not be static, and self is the manager in it.
            $manager->extend('tagcache', function ($app, array $config) use ($manager, $client) {
                $prefix = $config['prefix'] ?? $app['config']['cache.prefix'] ?? 'laravel';
                $classes = $app['config']['cache.serializable_classes'] ?? null;
                $report = $app->bound(ExceptionHandler::class)
                    ? static fn (\Exception $e) => $app->make(ExceptionHandler::class)->report($e)
                    : null;
                $store = new Store($client($config, $classes), (string) $prefix, $report);

                return $manager->repository($store, $config);
            });
        });
    }
}
