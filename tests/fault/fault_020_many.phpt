--TEST--
Faults in random order: no foreign value, no capacity and no descriptor lost
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 40, 'pool_size' => 3]);
$patient = $server->cache(['timeout_ms' => 5000, 'pool_size' => 3]);
$values = [];
for ($n = 0; $n < 50; $n++) {
    $values["k$n"] = "value of $n " . str_repeat((string) $n, $n * 20);
}
$patient->mSet($values);
$fds = descriptors();
$rules = ['stall:reply=*,byte=%d', 'close:reply=*,byte=%d', 'reset:reply=*,byte=%d', 'inject:reply=*,text=VALUE\tFOREIGN %d\n',
    'inject:reply=*,text=VALUE\tFOREIGN\n,after_ms=%d', 'replace:reply=*,text=NOISE %d\n', 'oversize:reply=*,bytes=%d00000', 'delay:ms=%d0',
    'dribble:ms=%d', 'close_idle:after=%d', 'replace:reply=*,text=ERR %d\n'];
$seed = (int) (getenv('TAGCACHE_TEST_SEED') ?: random_int(1, PHP_INT_MAX >> 1));
mt_srand($seed);
$what = "TAGCACHE_TEST_SEED=$seed";
$failed = 0;
for ($round = 0; $round < 120; $round++) {
    $rule = sprintf($rules[mt_rand(0, count($rules) - 1)], mt_rand(0, 9)) . ',times=1';
    $server->rule($rule);
    $late = str_contains($rule, 'after_ms');
    $keys = (array) array_rand($values, $late ? 1 : mt_rand(1, 5));
    foreach ($keys as $key) {
        [$outcome, $ms] = timed(fn () => $cache->get($key));
        $failed += $outcome instanceof TagCache\Exception ? 1 : 0;
        $oversized = is_string($outcome) && strspn($outcome, 'x') === strlen($outcome) && strlen($outcome) % 100_000 === 0;
        // What the fault puts in the place of the reply itself cannot be told from a reply.
        check($outcome instanceof TagCache\Exception || $outcome === $values[$key] || $oversized, "$what, get: " . show($outcome));
    }
    // A line that nobody asked for has to be there at the next check-out to be found.
    if ($late && is_string($outcome)) {
        unread_bytes_arrive($server);
    }
    if (mt_rand(0, 3) === 0) {
        [$outcome] = timed(fn () => $cache->mGet($keys));
        $failed += $outcome instanceof TagCache\Exception ? 1 : 0;
        if (is_array($outcome)) {
            foreach ($outcome as $key => $value) {
                check($value === $values[$key] || strspn($value, 'x') === strlen($value), "$what, mGet: $key is " . show($value));
            }
        }
    }
    $server->clear();
    if (mt_rand(0, 4) === 0) {
        usleep(15_000);
    }
}
check($failed > 10, "$what: faults that showed: $failed");
usleep(50_000);
TagCache::drain();
same($values, $patient->mGet(array_keys($values)), "$what: nothing is lost");
at_full_capacity($cache, $what);
check(descriptors() <= $fds + 2, 'no descriptor is leaked');

finish();
--EXPECT--
ok
