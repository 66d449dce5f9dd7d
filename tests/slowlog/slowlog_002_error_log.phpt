--TEST--
Without a file the slow log goes to PHP's error log
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault(['delay:ms=60']);
$log = tempnam(sys_get_temp_dir(), 'tc');
$ini = ['tagcache.slow_log_ms' => 50, 'tagcache.port' => $server->port, 'error_log' => $log, 'log_errors' => 1];
$outcome = run_php('(new TagCache)->get("a\\"b"); echo "done";', [], $ini);
same('done', $outcome->output, 'the script goes on');
$lines = file($log, FILE_IGNORE_NEW_LINES);
same(1, count($lines), show($lines));
check(str_contains($lines[0] ?? '', 'tagcache: slow call: command=GET key="a\"b" commands=1 '), show($lines));

// A file that cannot be written loses nothing.
file_put_contents($log, '');
$outcome = run_php('(new TagCache)->get("k"); echo "done";', [], $ini + ['tagcache.slow_log' => '/nowhere/at/all']);
same('done', $outcome->output, 'the script goes on');
$text = file_get_contents($log);
check(str_contains($text, '"/nowhere/at/all"') && str_contains($text, 'command=GET key="k"'), show($text));
unlink($log);

finish();
--EXPECT--
ok
