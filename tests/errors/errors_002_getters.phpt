--TEST--
What an exception knows: peer, phase and deadline
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

$port = closed_port();
$absent = new TagCache(['host' => '127.0.0.1', 'port' => $port]);
$thrown = throws(TagCache\ConnectionException::class, fn () => $absent->get('k'), 'refused', "127.0.0.1:$port", 'connect');
same("127.0.0.1:$port", $thrown->getPeer(), 'getPeer');
same(__FILE__, $thrown->getFile(), 'getFile');
same(__LINE__ - 3, $thrown->getLine(), 'getLine');

$server = new Fault(['silent']);
$peer = "127.0.0.1:$server->port";
$thrown = throws(TagCache\TimeoutException::class, fn () => $server->cache(['timeout_ms' => 60])->get('k'), 'silent', $peer, '60 ms');
same(['read', 60, $peer], [$thrown->getPhase(), $thrown->getDeadlineMs(), $thrown->getPeer()], 'getters');
same(true, $thrown instanceof TagCache\ConnectionException, 'a timeout is a ConnectionException');

$server->clear();
$server->rule('replace:reply=*,text=rubbish\n');
$thrown = throws(TagCache\ProtocolException::class, fn () => $server->cache()->get('k'), 'rubbish', $peer, 'rubbish');
same($peer, $thrown->getPeer(), 'getPeer');

$hole = new Fault(['blackhole']);
$options = ['timeout_ms' => 2000, 'connect_timeout_ms' => 60];
$thrown = throws(TagCache\TimeoutException::class, fn () => $hole->cache($options)->get('k'), 'blackhole', "127.0.0.1:$hole->port");
same(['connect', 60, "127.0.0.1:$hole->port"], [$thrown->getPhase(), $thrown->getDeadlineMs(), $thrown->getPeer()], 'getters');
$thrown = throws(TagCache\TimeoutException::class, fn () => $hole->cache(['timeout_ms' => 70])->get('k'), 'blackhole, whole call');
same(['connect', 70], [$thrown->getPhase(), $thrown->getDeadlineMs()], 'the limit that passed is named');

finish();
--EXPECT--
ok
