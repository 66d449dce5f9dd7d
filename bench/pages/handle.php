<?php
// The page of with.php without the get.
$settings = require __DIR__ . '/settings.php';
$cache = new TagCache(['host' => '127.0.0.1', 'port' => $settings['port']]);
echo 'Good day to ', $settings['name'], "\n";
