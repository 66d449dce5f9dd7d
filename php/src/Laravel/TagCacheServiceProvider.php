<?php

declare(strict_types=1);

namespace TagCache\Laravel;

use Illuminate\Support\ServiceProvider;

/**
 * Makes `'driver' => 'tagcache'` known to config/cache.php. Laravel finds it by itself.
 */
final class TagCacheServiceProvider extends ServiceProvider
{
    /** @return void */
    public function register()
    {
        $this->callAfterResolving('cache', function ($manager): void {
            // Laravel binds it to the manager, so it must not be static.
            $manager->extend('tagcache', function ($app, array $config) use ($manager) {
                $prefix = $config['prefix'] ?? $app['config']['cache.prefix'] ?? 'laravel';
                $store = new Store($config['dsn'] ?? $config['options'] ?? null, (string) $prefix);

                return $manager->repository($store, $config);
            });
        });
    }
}
