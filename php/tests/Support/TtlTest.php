<?php

declare(strict_types=1);

namespace TagCache\Tests\Support;

use PHPUnit\Framework\TestCase;
use TagCache\Support\Ttl;

final class TtlTest extends TestCase
{
    public function testSeconds(): void
    {
        self::assertSame(0, Ttl::fromSeconds(0));
        self::assertSame(0, Ttl::fromSeconds(-5));
        self::assertSame(1_000, Ttl::fromSeconds(1));
        self::assertSame(1_500, Ttl::fromSeconds(1.5));
        self::assertGreaterThan(0, Ttl::fromSeconds(PHP_INT_MAX), 'no overflow');
        self::assertGreaterThan(0, 1000 * time() + Ttl::fromSeconds(PHP_INT_MAX));
        self::assertIsInt(1000 * time() + Ttl::fromSeconds(PHP_INT_MAX));
    }

    public function testIntervals(): void
    {
        self::assertSame(90_000, Ttl::fromInterval(new \DateInterval('PT1M30S')));
        $back = new \DateInterval('PT5S');
        $back->invert = 1;
        self::assertSame(0, Ttl::fromInterval($back));
        $half = new \DateInterval('PT0S');
        $half->f = 0.5;
        self::assertEqualsWithDelta(500, Ttl::fromInterval($half), 1);
        self::assertEqualsWithDelta(30 * 86_400_000, Ttl::fromInterval(new \DateInterval('P1M')), 3 * 86_400_000);
    }

    public function testMoments(): void
    {
        self::assertSame(0, Ttl::until(microtime(true) - 1));
        self::assertEqualsWithDelta(2_000, Ttl::until(microtime(true) + 2), 100);
    }
}
