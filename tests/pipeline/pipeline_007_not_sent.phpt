--TEST--
What could not be sent throws, and the pipeline can be executed again
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$port = closed_port();
$options = ['host' => '127.0.0.1', 'port' => $port, 'pool_size' => 1, 'timeout_ms' => 1000, 'connect_backoff_ms' => 0];
$cache = new TagCache($options);
$default = new stdClass();
$pipeline = $cache->pipeline()->set('a', [1])->get('a')->get('absent', $default);
throws(TagCache\ConnectionException::class, fn () => $pipeline->execute(), 'nobody listens');
same(3, count($pipeline), 'the commands stay');
throws(TagCache\ConnectionException::class, fn () => $pipeline->execute(), 'still nobody');
$pipeline->increment('n');
$server = new Fault([], $port);
same([true, [1], $default, 1], $pipeline->execute(), 'when it is there');
same(['PUT', 'GET', 'GET', 'INCR'], array_map(fn ($line) => explode("\t", $line)[0], array_slice($server->commands(), 0, 4)), 'once each');
same(1, $cache->get('n'), 'and only once');
throws(TagCache\ConnectionException::class, fn () => (new TagCache(['port' => closed_port()]))->mAdd(['a' => 1]), 'mAdd');

finish();
--EXPECT--
ok
