<?php
/* The process that answers, and its pool, as JSON. */
declare(strict_types=1);

require __DIR__ . '/inc.php';

header('Content-Type: application/json');
echo json_encode(
    [
        'pid' => getmypid(),
        'php' => PHP_VERSION . (PHP_ZTS ? ' ZTS' : ' NTS'),
        'sapi' => PHP_SAPI,
        'extension' => phpversion('tagcache'),
        'pool' => load_cache()->poolStats(),
    ],
    JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR,
), "\n";
