<?php

declare(strict_types=1);

namespace TagCache\Psr16;

/** A key, a time to live or a list of them is not allowed; nothing was sent. */
final class InvalidArgumentException extends \TagCache\InvalidArgumentException implements
    \Psr\SimpleCache\InvalidArgumentException
{
}
