--TEST--
Strings and arrays of 0 bytes to 20 MB
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['timeout_ms' => 60_000]);
$sizes = [0, 1, 2, 100, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 16383, 16384, 16385, 65535, 65536, 65537, 131072, 1 << 20,
    (1 << 20) + 1, 20_000_000];
$block = 'a readable text, so that it goes as it is; ';
foreach ($sizes as $size) {
    $text = substr(str_repeat($block, intdiv($size, strlen($block)) + 1), 0, $size);
    $binary = $size === 0 ? '' : random_bytes($size);
    foreach (['text' => $text, 'binary' => $binary] as $kind => $string) {
        $cache->set(k('x'), $string);
        $got = $cache->get(k('x'));
        check($got === $string, "$size bytes of $kind: got " . show($got));
        unset($got);
    }
    $cache->set(k('x'), [$text, 'n' => $size]);
    check($cache->get(k('x')) === [$text, 'n' => $size], "an array with $size bytes");
}
// Several large ones in one exchange.
$items = [];
for ($n = 0; $n < 4; $n++) {
    $items[k("m$n")] = str_repeat(chr(97 + $n), 5_000_000 + $n);
}
same(4, $cache->mSet($items), 'mSet of 4 x 5 MB');
check($cache->mGet(array_keys($items)) === $items, 'mGet of 4 x 5 MB');
same(5, $cache->mDelete([k('x'), ...array_keys($items)]), 'clean up');

finish();
--EXPECT--
ok
