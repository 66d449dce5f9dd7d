<?php

declare(strict_types=1);

namespace TagCache\Tests\Release;

/** The class after the release: it cannot read what is there. */
final class Throws
{
    public mixed $n;
    public mixed $next;

    public function __wakeup(): void
    {
        throw new \TypeError('not this');
    }
}
