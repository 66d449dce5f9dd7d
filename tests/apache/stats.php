<?php
/* The process that answers, what it holds, and its pool, as JSON. */
declare(strict_types=1);

require __DIR__ . '/inc.php';

/** What the descriptors of this process are, counted by kind. */
function descriptors_by_kind(): array
{
    $kinds = [];
    foreach (scandir('/proc/self/fd') as $fd) {
        $target = @readlink("/proc/self/fd/$fd");
        if ($target !== false) {
            $kind = preg_replace('/:\[\d+\]$|^\/.*/', '', $target) ?: 'file';
            $kinds[$kind] = ($kinds[$kind] ?? 0) + 1;
        }
    }
    ksort($kinds);
    return $kinds;
}

$kinds = descriptors_by_kind();
preg_match('/^VmRSS:\s+(\d+) kB$/m', (string) file_get_contents('/proc/self/status'), $rss);
header('Content-Type: application/json');
echo json_encode(
    [
        'pid' => getmypid(),
        'php' => PHP_VERSION . (PHP_ZTS ? ' ZTS' : ' NTS'),
        'sapi' => PHP_SAPI,
        'extension' => phpversion('tagcache'),
        'descriptors' => array_sum($kinds),
        'descriptors_by_kind' => $kinds,
        'rss_kb' => (int) ($rss[1] ?? 0),
        'pool' => load_cache()->poolStats(),
    ],
    JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR,
), "\n";
