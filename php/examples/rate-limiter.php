<?php
/*
 * At most so many requests a window, counted in the server, so for all machines together. With a
 * server on the default port:
 *
 *   php -d extension=tagcache php/examples/rate-limiter.php
 */
declare(strict_types=1);

final class RateLimiter
{
    public function __construct(
        private readonly TagCache $cache,
        private readonly int $limit,
        private readonly int $seconds,
    ) {
    }

    /**
     * Counts a request of $who; 0 if it may go on, else the seconds after which to try again.
     *
     * The number of the window is in the key, as an increment restarts the time to live: a counter
     * that is asked for all the time would otherwise never end. Two windows of time to live, so that
     * clocks need not agree to the second.
     */
    public function hit(string $who, ?int $now = null): int
    {
        $now ??= time();
        $window = intdiv($now, $this->seconds);
        $count = $this->cache->increment("rate:$who:$window", 1, $this->seconds * 2000, ["rate:$who"]);
        return $count <= $this->limit ? 0 : $this->seconds - $now % $this->seconds;
    }

    /** Forgives everything. */
    public function reset(string $who): void
    {
        $this->cache->invalidateTag("rate:$who");
    }
}

$limiter = new RateLimiter(new TagCache(getenv('TAGCACHE_DSN') ?: 'tagcache://127.0.0.1:1984'), limit: 3, seconds: 10);
$who = 'visitor-' . bin2hex(random_bytes(4));
$now = 1_700_000_005;
foreach (range(1, 5) as $request) {
    $wait = $limiter->hit($who, $now);
    echo "request $request: ", $wait === 0 ? 'go on' : "429, Retry-After: $wait", "\n";
}
echo 'in the next window: ', $limiter->hit($who, $now + 10) === 0 ? 'go on' : 'no', "\n";
$limiter->reset($who);
echo 'after a reset: ', $limiter->hit($who, $now) === 0 ? 'go on' : 'no', "\n";
