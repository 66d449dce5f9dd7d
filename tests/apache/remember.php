<?php
/*
 * One of many requests that miss the same key at the same moment: scripts/apache-remember.sh gives
 * the key and the time at which all begin. With dies=1 one that dies while a Fiber of it makes the value.
 */
declare(strict_types=1);

require __DIR__ . '/inc.php';

$cache = load_cache();
$key = $_GET['key'];
if (isset($_GET['dies'])) {
    // The turn and the lock are those of a Fiber that nobody will go on with.
    $fiber = new Fiber(fn () => $cache->remember($key, Fiber::suspend(...)));
    $fiber->start();
    trigger_error('dies', E_USER_ERROR);
}
time_sleep_until((float) $_GET['start']);
$value = $cache->remember($key, function () use ($cache, $key): string {
    $cache->increment("$key calls");
    usleep(300_000);
    return bin2hex(random_bytes(8));
}, ['remember'], 60_000, ['wait_ms' => 20_000]);
echo getmypid(), ' ', $value, ' ', $cache->poolStats()['size'], "\n";
