<?php

declare(strict_types=1);

namespace TagCache\Tests\Release;

enum Colour
{
    case Yellow;
    // There was one named Purple.
}
