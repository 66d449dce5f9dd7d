<?php
// The page beside which with.php is measured.
$settings = require __DIR__ . '/settings.php';
echo 'Good day to ', $settings['name'], "\n";
