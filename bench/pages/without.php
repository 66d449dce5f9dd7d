<?php
// The page of with.php with neither the get nor the handle.
$settings = require __DIR__ . '/settings.php';
echo 'Good day to ', $settings['name'], "\n";
