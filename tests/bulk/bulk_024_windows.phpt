--TEST--
A bulk larger than one exchange: order, one time limit, and how far it came
--FILE--
<?php
require __DIR__ . '/../inc/fault.inc';

const MANY = 20_000;

/** Takes its time to become a value, and may do something to the handle. */
final class Slow
{
    public static ?Closure $then = null;

    public function __wakeup(): void
    {
        usleep(200);
        self::$then && (self::$then)();
    }
}

$server = new Fault();
$cache = $server->cache(['timeout_ms' => 20_000]);
$items = [];
for ($n = 0; $n < MANY; $n++) {
    $items["key $n"] = $n % 3 ? "value $n" : $n;
}
$keys = array_keys($items);
same(MANY, $cache->mSet($items), 'mSet');
$exchanges = fn (callable $call): array => [
    $before = $cache->poolStats()['check_outs'],
    $call(),
    $cache->poolStats()['check_outs'] - $before,
];
[, $got, $count] = $exchanges(fn () => $cache->mGet($keys));
check($got === $items, 'mGet: every value at its key, in order');
check($count > 2 && $count < 10, "mGet in $count exchanges");
[, , $count] = $exchanges(fn () => $cache->mSet($items));
same(3, $count, 'mSet: exchanges');
$got = $cache->mGet(['none', ...$keys, 'key 5', 'none']);
check($got === $items, 'misses and duplicates');
same(array_fill_keys($keys, false), $cache->mAdd($items), 'mAdd: all are there');
same(MANY / 2, $cache->mDelete(array_slice($keys, 0, MANY / 2)), 'mDelete');
$added = $cache->mAdd($items);
same([MANY, MANY / 2], [count($added), count(array_filter($added))], 'mAdd: half of them');
same($keys, array_keys($added), 'mAdd: keys');

// What can't be sent is found before anything is, however far behind it stands.
$server->log();
throws(TagCache\InvalidArgumentException::class, fn () => $cache->mSet($items + ["bad\n" => 1]), 'mSet', 'byte 3');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->mAdd($items + ["bad\n" => 1]), 'mAdd', 'byte 3');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->mDelete([...$keys, '']), 'mDelete', 'element 20000');
throws(TagCache\InvalidArgumentException::class, fn () => $cache->mGet([...$keys, []]), 'mGet', 'element 20000');
same([], $server->commands(), 'nothing was sent');

// A failure in a later exchange. Rules count the replies of a new connection.
TagCache::drain();
$server->rule('close:reply=10000,verb=PUT');
throws(TagCache\ConnectionException::class, fn () => $cache->mSet($items), 'cut off');
$server->clear();
TagCache::drain();
$server->rule('close:reply=10000,verb=ADD');
$cache->mDelete($keys);
$added = $cache->mAdd($items);
same($keys, array_keys($added), 'mAdd, cut off: every key has its result');
same(10_000, count(array_filter($added, 'is_bool')), 'mAdd, cut off: what is known');
check($added['key 19999'] instanceof TagCache\ConnectionException, 'mAdd, cut off: the others');

// What becomes of values between the exchanges has no time limit, and the handle may be closed in it.
$slow = array_fill_keys(array_slice($keys, 0, 3000), new Slow());
$quick = $server->cache(['timeout_ms' => 500]);
TagCache::drain();
$server->clear();
$quick->mSet($slow);
$start = hrtime(true);
same(3000, count($quick->mGet(array_keys($slow))), 'slow values');
check(hrtime(true) - $start > 600e6, 'took longer than the time limit');
Slow::$then = fn () => $quick->close();
same(3000, count($quick->mGet(array_keys($slow))), 'a handle that is closed meanwhile');
Slow::$then = null;

// All exchanges together have the time limit.
TagCache::drain();
$server->clear();
$server->rule('delay:ms=300,verb=PUT,reply=100', 'delay:ms=300,verb=PUT,reply=10000');
$cache = $server->cache(['timeout_ms' => 500]);
$start = hrtime(true);
throws(TagCache\TimeoutException::class, fn () => $cache->mSet($items), 'one time limit for all exchanges');
$ms = (hrtime(true) - $start) / 1e6;
check($ms > 490 && $ms < 600, "after $ms ms");

finish();
--EXPECT--
ok
