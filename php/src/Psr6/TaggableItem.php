<?php

declare(strict_types=1);

namespace TagCache\Psr6;

use Cache\TagInterop\TaggableCacheItemInterface;

/** An item of a TaggablePool. */
final class TaggableItem extends Item implements TaggableCacheItemInterface
{
}
