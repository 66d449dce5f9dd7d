--TEST--
A fork within __unserialize, and children that end in every way
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

class Forker
{
    public static ?int $child = null;
    public static TagCache $cache;
    public mixed $got = null;

    public function __serialize(): array
    {
        return [];
    }

    public function __unserialize(array $data): void
    {
        self::$child = pcntl_fork();
        $this->got = self::$cache->get('a');
    }
}

class Leaver
{
    public function __serialize(): array
    {
        exit(0);
    }
}

$server = new Fault();
$cache = Forker::$cache = $server->cache(['pool_size' => 1]);
$cache->set('a', 'A');
$cache->set('f', new Forker());
$got = $cache->get('f');
if (Forker::$child === 0) {
    exit($got->got === 'A' && $cache->get('a') === 'A' ? 0 : 1);
}
same('A', $got->got, 'the parent goes on inside');
pcntl_waitpid(Forker::$child, $status);
same(0, pcntl_wexitstatus($status), 'and so does the child');

$ends = [
    'a signal' => function () use ($cache) {
        $cache->get('a');
        send_signal(getmypid(), SIGKILL);
    },
    'a fatal error' => function () use ($cache) {
        $cache->get('a');
        ini_set('display_errors', '0');
        ini_set('log_errors', '0');
        ini_set('memory_limit', '8M');
        str_repeat('x', 100_000_000);
    },
    'an exception' => function () use ($cache) {
        $cache->get('a');
        ini_set('display_errors', '0');
        ini_set('log_errors', '0');
        throw new Exception('uncaught');
    },
    'exit in a hook' => function () use ($cache) {
        $cache->set('x', new Leaver());
    },
];
foreach ($ends as $what => $end) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        $end();
        exit(0);
    }
    for ($n = 0; $n < 30; $n++) {
        $value = $cache->get('a');
        $value === 'A' || same('A', $value, "the parent beside a child that ends by $what");
    }
    pcntl_waitpid($pid, $status);
    same('A', $cache->get('a'), "the parent after a child that ended by $what");
}
same(1, $cache->poolStats()['opened'], 'the parent still has its connection');
check(eventually(fn () => $server->stats()['peers'] === 1), 'the server sees only the parent');
at_full_capacity($cache, 'at the end');

finish();
--EXPECT--
ok
