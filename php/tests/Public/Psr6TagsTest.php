<?php

declare(strict_types=1);

namespace TagCache\Tests\Public;

use Cache\IntegrationTests\TaggableCachePoolTest;
use TagCache\Psr6\Pool;
use TagCache\Tests\Server;

final class Psr6TagsTest extends TaggableCachePoolTest
{
    public function createCachePool()
    {
        return new Pool(Server::handle(), 'public-tags-' . getmypid());
    }
}
