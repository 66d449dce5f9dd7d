<?php

declare(strict_types=1);

namespace TagCache\Tests\Laravel;

enum Tag: int
{
    case Seven = 7;
}
