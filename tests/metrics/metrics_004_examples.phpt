--TEST--
The examples run, and the status page escapes what it shows
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

['host' => $host, 'port' => $port] = address();
$folder = realpath(__DIR__ . '/../../php/examples');
putenv("TAGCACHE_DSN=tagcache://$host:$port?timeout_ms=5000");
$run = function (string $file, string $before = '', array $ini = []) use ($folder): string {
    $outcome = run_php("$before require " . var_export("$folder/$file", true) . ';', [], $ini);
    same(['', 0], [$outcome->errors, $outcome->code], "$file: no complaint");
    return $outcome->output;
};
same(2, substr_count($run('remember.php'), '(making the report'), 'remember.php makes it twice');
check(preg_match('/^(request [123]: go on\n){3}(request [45]: 429, Retry-After: 5\n){2}in the next window: go on\nafter a reset: go on\n$/', $run('rate-limiter.php')) === 1, 'rate-limiter.php');
$spans = $run('otel.php');
same(5, substr_count($spans, "span tagcache "), "otel.php: a span a call: $spans");
check(str_contains($spans, 'Error TagCache\\InvalidArgumentException'), 'otel.php: an error');

$ini = ['tagcache.host' => $host, 'tagcache.port' => $port];
$page = $run('status.php', '$_GET = [];', $ini);
check(str_contains($page, '<h1>TagCache ' . TagCache::VERSION) && str_contains($page, 'all is well'), 'status.php: well');
check(substr_count($page, '<section class="pool">') === 1 && str_contains($page, "$host:$port"), 'status.php: the pool');
check(str_ends_with(rtrim($page), '</html>'), 'status.php: to its end');
$evil = '/run/"><script>alert(1)</script>';
$page = $run('status.php', '$_GET = []; try { (new TagCache(["path" => ' . var_export($evil, true) . '])) ->get("k"); } catch (TagCache\Exception) { }',
    $ini + ['tagcache.slow_log' => '/tmp/<b>']);
check(!str_contains($page, '<script') && !str_contains($page, '<b>"') && str_contains($page, '&lt;script&gt;'), 'status.php: escaped');
check(str_contains($page, 'needs attention'), 'status.php: says that something is wrong');
check(str_starts_with($run('status.php', '$_GET = ["format" => "metrics"];', $ini), '# HELP tagcache_build_info'), 'status.php: metrics');
check(!str_contains(file_get_contents("$folder/status.php"), 'http://') && !str_contains(file_get_contents("$folder/status.php"), 'https://'), 'status.php: needs nobody else');

finish();
--EXPECT--
ok
