<?php
// The page of without.php, with its one value from the cache.
$settings = require __DIR__ . '/settings.php';
$cache = new TagCache(['host' => '127.0.0.1', 'port' => $settings['port']]);
echo 'Good day to ', $cache->get('bench:page', $settings['name']), "\n";
