--TEST--
A reply past the limit: ProtocolException long before it is in memory
--INI--
memory_limit=128M
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$server = new Fault();
$cache = $server->cache(['max_reply_bytes' => 1_000_000, 'timeout_ms' => 5000]);
$cache->set('kept', 'stays');
$fds = descriptors();
$peak = memory_get_peak_usage();
foreach (['oversize:reply=*,verb=GET,bytes=1000001', 'oversize:reply=*,verb=GET,bytes=300000000'] as $rule) {
    $server->rule($rule);
    for ($try = 0; $try < 3; $try++) {
        [$outcome, $ms] = timed(fn () => $cache->get('kept'));
        same(TagCache\ProtocolException::class, get_debug_type($outcome), "$rule: " . show($outcome));
        check($ms < 5100, "$rule took $ms ms");
    }
    throws(TagCache\ProtocolException::class, fn () => $cache->mGet(['kept', 'x']), 'mGet', 'max_reply_bytes');
    $server->clear();
    same('stays', $cache->get('kept'), "$rule: the next call");
}
check(memory_get_peak_usage() - $peak < 8_000_000, "PHP's memory was not touched");
preg_match('/VmHWM:\s+(\d+) kB/', file_get_contents('/proc/self/status'), $high);
check((int) $high[1] < 150_000, "memory of the process: $high[1] kB");
// As long as allowed.
$server->rule('oversize:reply=*,verb=GET,bytes=999000');
same(999_000, strlen($cache->get('kept')), 'a long one that is allowed');
$server->clear();
check(descriptors() <= $fds, 'no descriptor is leaked');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
