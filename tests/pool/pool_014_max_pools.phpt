--TEST--
At most tagcache.max_pools pools live, and an old one that is used again works
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$out = run_php(<<<'PHP'
    $handles = [];
    for ($n = 1; $n <= 12; $n++) {
        $handles[$n] = new TagCache(['host' => '127.0.0.1', 'port' => (int) $argv[1], 'pool_size' => $n]);
        $handles[$n]->set("k$n", $n);
    }
    $bad = 0;
    foreach ([...range(1, 12), ...range(12, 1)] as $n) {
        $bad += $handles[$n]->get("k$n") === $n ? 0 : 1;
    }
    unset($handles);
    for ($n = 1; $n <= 12; $n++) {
        (new TagCache(['host' => '127.0.0.1', 'port' => (int) $argv[1], 'pool_size' => $n]))->set("k$n", $n);
    }
    echo json_encode([$bad, TagCache::drain()]);
    PHP, [$server->port], ['tagcache.max_pools' => 4]);
[$bad, $pools] = json_decode($out->output, true) ?? [null, null];
same(0, $bad, "every handle works, however many pools there are: $out->output $out->errors");
check($pools !== null && $pools >= 1 && $pools <= 4, "pools that live at the end: $pools");

finish();
--EXPECT--
ok
