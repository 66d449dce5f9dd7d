<?php
/*
 * One of many requests that miss the same key at the same moment: scripts/apache-remember.sh gives
 * the key and the time at which all begin.
 */
declare(strict_types=1);

require __DIR__ . '/inc.php';

$cache = load_cache();
$key = $_GET['key'];
time_sleep_until((float) $_GET['start']);
$value = $cache->remember($key, function () use ($cache, $key): string {
    $cache->increment("$key calls");
    usleep(300_000);
    return bin2hex(random_bytes(8));
}, ['remember'], 60_000, ['wait_ms' => 20_000]);
echo getmypid(), ' ', $value, ' ', $cache->poolStats()['size'], "\n";
