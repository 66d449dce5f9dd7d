<?php

declare(strict_types=1);

namespace TagCache\Psr6;

use Cache\TagInterop\TaggableCacheItemPoolInterface;

/**
 * The Pool for code that asks for cache/tag-interop's interfaces. It does nothing that a Pool
 * does not.
 */
final class TaggablePool extends Pool implements TaggableCacheItemPoolInterface
{
    protected const ITEM = TaggableItem::class;

    public function getItem($key): TaggableItem
    {
        return parent::getItem($key);
    }
}
