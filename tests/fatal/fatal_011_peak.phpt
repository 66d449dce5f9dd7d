--TEST--
What a process holds beside PHP's memory while a call is answered
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

/** Runs $call in a child; returns by how many MB its memory grew beyond what PHP used at most. */
function beside(int $port, string $call, string $limit): float
{
    $out = run_php(<<<PHP
        function high(): int
        {
            preg_match('/VmHWM:\s+(\d+) kB/', file_get_contents('/proc/self/status'), \$parts);
            return \$parts[1] * 1024;
        }
        \$cache = new TagCache(['port' => $port, 'pool_size' => 2, 'timeout_ms' => 60_000]);
        \$cache->set('warm', 1);
        \$before = high();
        register_shutdown_function(function () use (\$before) {
            printf('%d %d', high() - \$before, memory_get_peak_usage(true));
        });
        $call
        PHP, [], ['memory_limit' => $limit]);
    if (!preg_match('/(\d+) (\d+)$/', $out->output, $parts)) {
        check(false, "$call: $out->output $out->errors");
        return INF;
    }
    return ($parts[1] - $parts[2]) / (1 << 20);
}

// A thousand values of a megabyte, where PHP has room for sixty: 64 are asked for at most before PHP says so.
// What holds them is moved when it grows, and may be there twice at that moment.
$server = new Fault(['oversize:reply=*,verb=GET,bytes=1000000']);
foreach ([
    'mGet' => '$cache->mGet(array_map(fn ($n) => "k$n", range(0, 999)));',
    'a pipeline' => '$p = $cache->pipeline(); for ($n = 0; $n < 2000; $n++) { $p->get("k$n"); } $p->execute();',
    'a batch' => '$b = $cache->batch(); for ($n = 0; $n < 1000; $n++) { $b->get("k$n"); } $b->wait();',
] as $name => $call) {
    $more = beside($server->port, $call, '64M');
    check($more < 140, sprintf('%s: %.0f MB beside the memory of PHP', $name, $more));
}

// Half a million short keys in a reply of 5 MB, twice.
$server = new Fault();
$cache = $server->cache(['timeout_ms' => 60_000]);
for ($part = 0; $part < 500_000; $part += 50_000) {
    $items = [];
    for ($n = $part; $n < $part + 50_000; $n++) {
        $items[sprintf('k%08d', $n)] = 1;
    }
    $cache->mSet($items, null, ['t', 'u']);
}
foreach ([
    'keysByTag' => ['count($cache->keysByTag("t")) === 500_000 || exit("wrong");', 8],
    'searchAny' => ['count($cache->searchAny(["t"])) === 500_000 || exit("wrong");', 12],
    'searchAll' => ['count($cache->searchAll(["t", "u"])) === 500_000 || exit("wrong");', 17],
] as $name => [$call, $most]) {
    $more = beside($server->port, $call, '256M');
    check($more < $most, sprintf('%s: %.0f MB beside the memory of PHP', $name, $more));
}

finish();
--EXPECT--
ok
