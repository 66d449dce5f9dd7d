<?php

declare(strict_types=1);

namespace TagCache\Support;

/**
 * Times to live: frameworks count seconds, the server counts milliseconds.
 */
final class Ttl
{
    /** The longest time that stays an integer when it is added to the clock: 100 000 years. */
    private const MAX_SECONDS = 3_155_760_000_000;

    /** Milliseconds of so many seconds; 0 if the time is over already. */
    public static function fromSeconds(int|float $seconds): int
    {
        return (int) round(1000 * min(max($seconds, 0), self::MAX_SECONDS));
    }

    /** Milliseconds of an interval that begins now; 0 if it is over already. */
    public static function fromInterval(\DateInterval $interval): int
    {
        $now = new \DateTimeImmutable();

        return self::fromSeconds((float) $now->add($interval)->format('U.u') - (float) $now->format('U.u'));
    }

    /** Milliseconds until a moment of the Unix clock, in seconds; 0 if it is over already. */
    public static function until(float $moment): int
    {
        return self::fromSeconds($moment - microtime(true));
    }
}
