<?php

declare(strict_types=1);

namespace TagCache\Tests\Public;

use Cache\IntegrationTests\CachePoolTest;
use TagCache\Psr6\Pool;
use TagCache\Tests\Server;

final class Psr6Test extends CachePoolTest
{
    public function createCachePool()
    {
        return new Pool(Server::handle(), 'public-psr6-' . getmypid());
    }
}
