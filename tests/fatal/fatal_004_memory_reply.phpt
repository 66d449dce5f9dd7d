--TEST--
memory_limit hit by a reply that is too large for it
--INI--
memory_limit=256M
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$keep = $server->cache(['timeout_ms' => 30_000]);
$keep->set('kept', 'stays');
$keep->set('text', str_repeat('text ', 6_000_000));
$keep->set('binary', str_repeat("\0", 20_000_000));
$keep->set('array', array_fill(0, 200_000, ['some', 'more', 'elements']));
$many = array_fill_keys(array_map(fn ($n) => "many$n", range(0, 99)), str_repeat('v', 500_000));
$keep->mSet($many);
// One key, which becomes a list of ten million empty ones.
$keep->set(str_repeat(',', 10_000_000), 1, ['commas']);
$keep->mSet(array_fill_keys(array_map(fn ($n) => str_repeat("tagged $n ", 20), range(0, 20_000)), 1), null, ['t']);
foreach ([
    'text' => '$cache->get("text");', 'binary' => '$cache->get("binary");', 'array' => '$cache->get("array");',
    'mGet' => '$cache->mGet(array_map(fn ($n) => "many$n", range(0, 99)));', 'keysByTag' => '$cache->keysByTag("t");',
    'keysByTag, commas' => '$cache->keysByTag("commas");',
    'tagcache_get' => 'tagcache_get($cache, "text");',
] as $name => $call) {
    $out = run_php(<<<PHP
        \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1, 'timeout_ms' => 30_000]);
        register_shutdown_function(function () use (\$cache) {
            ini_set('memory_limit', '64M');
            echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'], ';', \$cache->set('after', [1]) ? 'set' : '';
        });
        $call
        echo 'not reached';
        PHP, [], ['memory_limit' => '4M']);
    same(['stays;0;set', 255, 0], [$out->output, $out->code, $out->signal], "$name: the end: $out->errors");
    check(str_contains($out->errors, 'Allowed memory size'), "$name: the message: $out->errors");
    check(eventually(fn () => $server->stats()['peers'] === 1), "$name: the connection is closed");
}
check($keep->get('array') === array_fill(0, 200_000, ['some', 'more', 'elements']), 'nothing is lost');

finish();
--EXPECT--
ok
