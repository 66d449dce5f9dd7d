<?php

declare(strict_types=1);

namespace TagCache\Support;

/**
 * The rule that PSR-6 and PSR-16 share: which keys (and here, tags) are refused.
 */
final class PsrName
{
    private const RESERVED = '{}()/\\@:';

    /**
     * What is wrong with element $place of a list of keys or tags, null if nothing is.
     *
     * A place with a name is no place: somebody has meant it to say something.
     */
    public static function faultAt(mixed $place, mixed $name, string $what): ?string
    {
        if (is_string($place)) {
            return sprintf('The cache %ss must be a list, it has the key "%s".', $what, $place);
        }

        return self::fault($name, $what);
    }

    /** What is wrong with a key or tag, null if nothing is. */
    public static function fault(mixed $name, string $what): ?string
    {
        if (!is_string($name)) {
            return sprintf('A cache %s must be a string, %s given.', $what, get_debug_type($name));
        }
        if ($name === '') {
            return sprintf('A cache %s must not be empty.', $what);
        }
        if (strpbrk($name, self::RESERVED) !== false) {
            return sprintf('The cache %s "%s" contains one of %s, which are reserved.', $what, $name, self::RESERVED);
        }

        return null;
    }
}
