<?php
/*
 * For opcache.preload: runs in the parent of a prefork Apache, so that its children inherit a pool
 * with an idle connection in it.
 */
declare(strict_types=1);

require __DIR__ . '/inc.php';

$cache = load_cache();
$cache->set('preloaded by', getmypid());
if ($cache->get('preloaded by') !== getmypid() || $cache->poolStats()['idle'] !== 1) {
    throw new RuntimeException('the parent did not get its own value back');
}
