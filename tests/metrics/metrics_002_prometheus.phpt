--TEST--
metrics() is Prometheus text, complete and consistent
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

same(0, preg_match('/^tagcache_pool_size/m', TagCache::metrics()), 'no pool yet');
$server = new Fault(['delay:ms=3']);
$one = $server->cache(['pool_size' => 3]);
$other = $server->cache(['pool_size' => 4]);
$odd = new TagCache(['path' => "/run/a \"quoted\" \\ and\nbroken"]);
$odd->poolStats();
for ($n = 0; $n < 20; $n++) {
    $one->set('key', 'value');
}
$other->get('secret key');
$text = TagCache::metrics();
$series = $types = [];
foreach (explode("\n", rtrim($text, "\n")) as $line) {
    if (preg_match('/^# (HELP|TYPE) (tagcache_[a-z_]+) (.+)$/', $line, $parts)) {
        check(!isset($types[$parts[1]][$parts[2]]), "$line: once");
        $types[$parts[1]][$parts[2]] = $parts[3];
    } elseif (preg_match('/^(tagcache_[a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\\\n]|\\\\["\\\\n])*",?)+)\})? ([0-9.eE+-]+)$/', $line, $parts)) {
        check(!isset($series["$parts[1]{{$parts[2]}}"]), "$line: once");
        $series["$parts[1]{{$parts[2]}}"] = (float) $parts[3];
        $base = preg_replace('/_(bucket|sum|count)$/', '', $parts[1]);
        check(isset($types['HELP'][$parts[1]], $types['TYPE'][$parts[1]]) || ($types['TYPE'][$base] ?? '') === 'histogram', "$line: described");
    } else {
        check(false, 'no line of Prometheus: ' . show($line));
    }
}
check(str_contains($text, 'server="unix:///run/a \"quoted\" \\\\ and\nbroken"'), 'labels are escaped');
check(!str_contains($text, 'secret'), 'no keys');
$of = fn (string $name, string $more = '') => array_filter($series, fn ($key) => str_starts_with($key, "tagcache_$name{server=\"127.0.0.1:$server->port\"")
    && str_contains($key, $more), ARRAY_FILTER_USE_KEY);
same_set([3.0, 4.0], array_values($of('pool_size')), 'a series for each pool to the server');
same_set([20.0, 1.0], array_values($of('check_outs_total')), 'check-outs');
same(6, count($of('connections_closed_total')), 'closed by three reasons');
same_set([20.0, 1.0], array_values($of('round_trip_seconds_count')), 'calls');
same_set([20.0, 1.0], array_values($of('round_trip_seconds_bucket', 'le="+Inf"')), 'all of them in the last bucket');
same_set([0.0, 0.0], array_values($of('round_trip_seconds_bucket', 'le="0.001"')), 'none within 1 ms');
check(array_sum($of('round_trip_seconds_sum')) >= 21 * 0.003, 'the sum of seconds');
same_set([20.0, 1.0], array_values($of('acquire_seconds_bucket', 'le="0.0001"')), 'nobody waited');
// Within a histogram the buckets grow.
$last = [];
foreach ($series as $name => $value) {
    if (preg_match('/^(.+_bucket.+),le=/', $name, $parts)) {
        check($value >= ($last[$parts[1]] ?? 0), "$name grows");
        $last[$parts[1]] = $value;
    }
}
same(6, count($last), 'two histograms for each of three pools');
same(3.0, $series['tagcache_pools{}'] ?? null, 'pools');

finish();
--EXPECT--
ok
