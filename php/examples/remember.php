<?php
/*
 * Expensive values: made by one caller, used by all. With a server on the default port:
 *
 *   php -d extension=tagcache php/examples/remember.php
 */
declare(strict_types=1);

$cache = new TagCache(getenv('TAGCACHE_DSN') ?: 'tagcache://127.0.0.1:1984');

/** What takes long: a report of a shop, say. */
function report(string $month): array
{
    echo "  (making the report of $month)\n";
    usleep(50_000);
    return ['month' => $month, 'total' => array_sum(array_map('ord', str_split($month)))];
}

$get = fn (string $month): array => $cache->remember(
    "report:$month",
    fn () => report($month),
    tags: ['reports', 'orders'],
    ttl_ms: 60_000,
    // When a minute is over, one caller makes it anew and the others go on with the old one.
    options: ['stale_ms' => 600_000],
);

$cache->invalidateTag('reports');
echo "the first time\n";
print_r($get('2026-11'));
echo "the second time\n";
print_r($get('2026-11'));

// An order came in: everything that shows orders is made anew when somebody asks for it.
echo 'invalidated: ', $cache->invalidateTag('orders'), "\n";
echo "the third time\n";
print_r($get('2026-11'));
