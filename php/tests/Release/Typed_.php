<?php

declare(strict_types=1);

namespace TagCache\Tests\Release;

/** The class after the release: a property has a type now. */
final class Typed_
{
    public int $n = 0;
    public mixed $next = null;
}
