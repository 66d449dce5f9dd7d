<?php

declare(strict_types=1);

namespace TagCache\Tests\Symfony;

use Psr\Cache\CacheItemPoolInterface;
use Symfony\Contracts\Cache\CacheInterface;
use Symfony\Contracts\Cache\TagAwareCacheInterface;
use Symfony\Contracts\Service\Attribute\Required;

/** A service that asks for a cache as services do: by interface, and by the name of the argument. */
final class Autowired
{
    /** @var array<string, array{CacheInterface, TagAwareCacheInterface, CacheItemPoolInterface}> by pool */
    public array $caches = [];

    public function __construct(CacheInterface $cache, TagAwareCacheInterface $tagged, CacheItemPoolInterface $items)
    {
        $this->caches['app'] = [$cache, $tagged, $items];
    }

    #[Required]
    public function cache(CacheInterface $pagesPool): void
    {
        $this->caches['pages.pool'][0] = $pagesPool;
    }

    #[Required]
    public function tagged(TagAwareCacheInterface $pagesPool): void
    {
        $this->caches['pages.pool'][1] = $pagesPool;
    }

    #[Required]
    public function items(CacheItemPoolInterface $pagesPool): void
    {
        $this->caches['pages.pool'][2] = $pagesPool;
    }
}
