--TEST--
Pages that die while Fibers are suspended in calls, or in a destructor, leave no memory behind, no turn and no lock
--FILE--
<?php
require __DIR__ . '/pages.inc';

putenv('TAGCACHE_PAGES_PREFIX=' . k(''));
foreach (['exit', 'error', 'memory', 'destructor'] as $how) {
    $pages = new Pages(__DIR__ . '/leak.inc', ['memory_limit' => '64M']);
    $pages->get(['store' => 1]);
    for ($n = 0; $n < 20; $n++) {
        $before = $pages->get(['how' => $how]);
    }
    for ($n = 0; $n < 100; $n++) {
        $after = $pages->get(['how' => $how]);
    }
    $grown = ((int) $after - (int) $before) >> 20;
    check((int) $before > 0 && $grown < 20, "$how: 100 pages of which each held 1 MB: grown by $grown MB");
    $cache = cache(['prefix' => k('')]);
    same(false, $cache->has('made~lock'), "$how: no lock is left");
    check(!str_contains($pages->errors(), 'BUG'), "$how: no connection is left: " . substr($pages->errors(), -300));
    same(0, $pages->stop(), "$how: the server ends in order");
}

finish();
--EXPECT--
ok
