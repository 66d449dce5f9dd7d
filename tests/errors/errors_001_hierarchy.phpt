--TEST--
The exceptions, what they extend, and that PHP code may extend and throw them
--FILE--
<?php
require __DIR__ . '/../inc/test.inc';

$parents = [
    'ConnectionException' => 'RuntimeException', 'TimeoutException' => 'TagCache\ConnectionException',
    'PoolExhaustedException' => 'TagCache\TimeoutException', 'ProtocolException' => 'TagCache\ConnectionException',
    'ServerException' => 'RuntimeException', 'InvalidArgumentException' => 'InvalidArgumentException',
    'SerializationException' => 'RuntimeException', 'ClosedException' => 'RuntimeException',
];
$interface = new ReflectionClass('TagCache\Exception');
same(true, $interface->isInterface(), 'TagCache\Exception is an interface');
same(true, $interface->implementsInterface('Throwable'), 'and a Throwable');
foreach ($parents as $name => $parent) {
    $class = "TagCache\\$name";
    same($parent, get_parent_class($class), "parent of $name");
    same(true, is_subclass_of($class, 'TagCache\Exception'), "$name is a TagCache\\Exception");
    same(false, (new ReflectionClass($class))->isFinal(), "$name is not final");
    $previous = new LogicException('before');
    $made = new $class('text', 5, $previous);
    same(['text', 5, $previous, __LINE__ - 1], [$made->getMessage(), $made->getCode(), $made->getPrevious(), $made->getLine()], "new $name");
    same('', (new $class())->getMessage(), "new $name without anything");
    eval("final class My$name extends $class { public string \$more = 'more'; }");
    $mine = "My$name";
    $caught = null;
    try {
        throw new $mine('mine');
    } catch (TagCache\Exception $caught) {
    }
    same([$mine, 'mine', 'more'], [get_class($caught), $caught->getMessage(), $caught->more], "a subclass of $name");
}
$made = new TagCache\TimeoutException('by hand');
same(['', 0, ''], [$made->getPhase(), $made->getDeadlineMs(), $made->getPeer()], 'a TimeoutException made by hand');
same('', (new TagCache\ConnectionException())->getPeer(), 'a ConnectionException made by hand');
$raw = (new ReflectionClass('TagCache\TimeoutException'))->newInstanceWithoutConstructor();
same(['', 0, ''], [$raw->getPhase(), $raw->getDeadlineMs(), $raw->getPeer()], 'a TimeoutException that was never made');
$late = new class ('x') extends TagCache\PoolExhaustedException {
    public function __construct(string $message)
    {
        // Calls no parent.
    }
};
same(['', 0, ''], [$late->getPhase(), $late->getDeadlineMs(), $late->getPeer()], 'a subclass that calls no parent');
throws(Error::class, fn () => clone $made, 'clone, as of every exception', 'clone');

finish();
--EXPECT--
ok
