--TEST--
Sixty-four processes that miss the same key make it once
--SKIPIF--
<?php
if (!function_exists('pcntl_fork')) {
    die('skip needs pcntl');
}
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$key = k('hot');
$calls = k('calls');
$answers = tempnam(sys_get_temp_dir(), 'tc');
$start = microtime(true) + 0.5;
for ($n = 0; $n < 64; $n++) {
    if (pcntl_fork() === 0) {
        $cache = cache(['pool_size' => 1]);
        @time_sleep_until($start); // warns if a busy machine took longer to fork
        $value = $cache->remember($key, function () use ($cache, $calls) {
            $cache->increment($calls);
            usleep(200_000);
            return bin2hex(random_bytes(8));
        }, [], 60_000, ['wait_ms' => 20_000]);
        file_put_contents($answers, "$value\n", FILE_APPEND | LOCK_EX);
        exit(0);
    }
}
while (pcntl_wait($status) > 0) {
}
$got = file($answers, FILE_IGNORE_NEW_LINES);
unlink($answers);
same(64, count($got), 'everybody has an answer');
same(1, count(array_unique($got)), 'the same one');
same(1, cache()->get($calls), 'which was made once');
same(false, cache()->has("$key~lock"), 'no lock is left');

finish();
--EXPECT--
ok
