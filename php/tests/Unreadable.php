<?php

declare(strict_types=1);

namespace TagCache\Tests;

/** Serializes well and throws when it is read back. */
final class Unreadable
{
    public function __wakeup(): void
    {
        throw new \RuntimeException('unreadable');
    }
}
