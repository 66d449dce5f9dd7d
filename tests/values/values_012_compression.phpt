--TEST--
Compression: what is compressed, and how much may come out again
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$wire = fn (string $key): string => substr(raw("GET\t" . k($key))[0], 6);
$text = str_repeat('some text that repeats itself, ', 1000);
foreach (['lz4', 'zstd'] as $name) {
    $mark = '__TC_' . strtoupper($name) . '__';
    $cache = cache(['compression' => $name, 'compression_threshold' => 1000]);
    foreach ([$text, [$text], (object) ['a' => $text], "$text\n\xff"] as $n => $value) {
        $cache->set(k('v'), $value);
        check(str_starts_with($wire('v'), $mark) && strlen($wire('v')) < 4000, "$name compresses value $n: " . strlen($wire('v')));
        alike($value, cache()->get(k('v')), "a handle without compression reads what $name compressed");
    }
    foreach ([substr($text, 0, 999), random_bytes(5000), 5, 1.5, null, true, base64_encode(random_bytes(900))] as $n => $value) {
        $cache->set(k('v'), $value);
        check(!str_starts_with($wire('v'), $mark), "$name leaves value $n alone");
        alike($value, $cache->get(k('v')), "value $n");
    }
    $cache->set(k('n'), 41);
    same(42, $cache->increment(k('n')), 'counters count');
    $cache->set(k('bomb'), str_repeat("\0", 50_000_000));
    check(strlen($wire('bomb')) < 300_000, 'a small value: ' . strlen($wire('bomb')));
    $used = memory_get_peak_usage();
    throws(TagCache\SerializationException::class, fn () => cache(['max_decompressed_bytes' => 1_000_000])->get(k('bomb')), 'a large one behind it', 'max_decompressed_bytes');
    check(memory_get_peak_usage() - $used < 2_000_000, 'takes no memory');
    same(50_000_000, strlen(cache()->get(k('bomb'))), 'within the limit it is read');
    $small = cache(['compression' => $name, 'max_decompressed_bytes' => 20_000]);
    $small->set(k('v'), $text);
    same($text, $small->get(k('v')), 'what could not be read back is not compressed');
}
$sizes = [];
foreach ([1, 19] as $level) {
    cache(['compression' => 'zstd', 'compression_level' => $level])->set(k('v'), file_get_contents(__DIR__ . '/../../stubs/tagcache.stub.php'));
    $sizes[$level] = strlen($wire('v'));
}
check($sizes[19] < $sizes[1], 'a higher level compresses better: ' . show($sizes));
$class = TagCache\InvalidArgumentException::class;
throws($class, fn () => cache(['compression' => 'gzip']), 'an unknown one', "'lz4', 'zstd'");
throws($class, fn () => cache(['compression' => 'lz4', 'compression_level' => 3]), 'a level for lz4', 'compression_level');
throws($class, fn () => cache(['compression' => 'zstd', 'compression_level' => 20]), 'a level too high', '0 to 19');

finish();
--EXPECT--
ok
