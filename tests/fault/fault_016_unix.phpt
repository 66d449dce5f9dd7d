--TEST--
The same over a Unix socket
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$path = socket_path();
$server = new Fault([], $path);
$dsn = "unix://$path?pool_size=2&timeout_ms=100&connect_backoff_ms=0";
$cache = new TagCache($dsn);
// The same pool, with time enough on a busy machine.
$patient = new TagCache("unix://$path?pool_size=2&timeout_ms=5000&connect_backoff_ms=0");
$patient->set('kept', 'stays');
$fds = descriptors();
$faults = [
    'silent' => TagCache\TimeoutException::class,
    'stall:reply=*,byte=3' => TagCache\TimeoutException::class,
    'close:reply=*,byte=0' => TagCache\ConnectionException::class,
    'close:reply=*,byte=5' => TagCache\ConnectionException::class,
    'reset:reply=*,byte=5' => TagCache\ConnectionException::class,
    'replace:reply=*,text=rubbish\n' => TagCache\ProtocolException::class,
    'replace:reply=*,verb=GET,text=ERR no\n' => TagCache\ServerException::class,
    'inject:reply=*,text=VALUE\tSTOLEN\n' => TagCache\ProtocolException::class,
    'oversize:reply=*,bytes=70000000' => TagCache\ProtocolException::class,
    'dribble:ms=20' => TagCache\TimeoutException::class,
];
foreach ($faults as $rule => $class) {
    $asks = $class === TagCache\TimeoutException::class ? $cache : $patient;
    $server->rule($rule);
    foreach (['get' => fn () => $asks->get('kept'), 'mGet' => fn () => $asks->mGet(['kept', 'x'])] as $name => $call) {
        $thrown = $class === TagCache\TimeoutException::class
            ? throws_in_time($class, $call, "$name, $rule", 100)
            : throws($class, $call, "$name, $rule");
        if ($thrown instanceof TagCache\ConnectionException) {
            same("unix://$path", $thrown->getPeer(), "$name, $rule: getPeer");
        }
    }
    $server->clear();
    same('stays', $patient->get('kept'), "$rule: the next call");
}
$server->rule('noread');
TagCache::drain();
$thrown = throws_in_time(TagCache\TimeoutException::class, fn () => $cache->set('big', str_repeat('x', 2_000_000)), 'noread', 100);
same('write', $thrown->getPhase(), 'noread: phase');
$server->clear();
$server->rule('refuse');
$server->kick();
throws_in_time(TagCache\ConnectionException::class, fn () => $cache->get('kept'), 'refuse', 0, early: true);
$server->accept();
same('stays', $patient->get('kept'), 'after refuse');
$server->kick();
same('stays', $patient->get('kept'), 'after a kick');
$server->stop();
throws_in_time(TagCache\ConnectionException::class, fn () => $cache->get('kept'), 'gone', 0, early: true);
$server = new Fault([], $path);
same(null, $patient->get('kept'), 'restarted on the same path, and empty');
check(descriptors() <= $fds + 4, 'no descriptor is leaked');
at_full_capacity($patient, 'at the end');

finish();
--EXPECT--
ok
