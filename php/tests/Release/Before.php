<?php

declare(strict_types=1);

namespace TagCache\Tests\Release;

/** What the code stored before the release. Names of six letters, so that bytes can be exchanged. */
final class Before
{
    public mixed $n = 'text';
    public ?Before $next = null;
}
