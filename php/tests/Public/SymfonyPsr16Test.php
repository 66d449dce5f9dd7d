<?php

declare(strict_types=1);

namespace TagCache\Tests\Public;

use Cache\IntegrationTests\SimpleCacheTest;
use Symfony\Component\Cache\Psr16Cache;
use TagCache\Symfony\TagCacheAdapter;
use TagCache\Tests\Server;

/** Symfony's own PSR-16 layer over the adapter. */
final class SymfonyPsr16Test extends SimpleCacheTest
{
    public function createSimpleCache()
    {
        return new Psr16Cache(new TagCacheAdapter(Server::handle(), 'public16-' . getmypid()));
    }
}
