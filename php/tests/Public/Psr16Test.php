<?php

declare(strict_types=1);

namespace TagCache\Tests\Public;

use Cache\IntegrationTests\SimpleCacheTest;
use TagCache\Psr16\Cache;
use TagCache\Tests\Server;

final class Psr16Test extends SimpleCacheTest
{
    public function createSimpleCache()
    {
        return new Cache(Server::handle(), 'public-psr16-' . getmypid());
    }
}
