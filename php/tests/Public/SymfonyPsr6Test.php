<?php

declare(strict_types=1);

namespace TagCache\Tests\Public;

use Cache\IntegrationTests\CachePoolTest;
use TagCache\Symfony\TagCacheAdapter;
use TagCache\Tests\Server;

final class SymfonyPsr6Test extends CachePoolTest
{
    public function createCachePool()
    {
        return new TagCacheAdapter(Server::handle(), 'public-' . getmypid());
    }
}
