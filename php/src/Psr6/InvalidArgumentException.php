<?php

declare(strict_types=1);

namespace TagCache\Psr6;

/** A key, a tag or a time to live is not allowed; nothing was sent. */
final class InvalidArgumentException extends \TagCache\InvalidArgumentException implements
    \Psr\Cache\InvalidArgumentException
{
}
