<?php
/*
 * Batches in an event loop: how TagCache\Batch::stream() fits ReactPHP, Revolt and the like. The
 * loop below is the smallest that has their two building blocks, "call me when this stream is
 * readable" and "call me in a while"; with a real one, only the class Loop goes:
 *
 *   ReactPHP   Loop::addReadStream($stream, $callback)   Loop::removeReadStream($stream)
 *   Revolt     EventLoop::onReadable($stream, $callback) EventLoop::cancel($id)
 *
 * By hand, with a server on the default port:
 *
 *   php -d extension=/path/to/libtagcache.so php/examples/event-loop.php
 */
declare(strict_types=1);

final class Loop
{
    /** @var array<int, array{resource, Closure}> */
    private static array $readers = [];
    /** @var list<array{float, Closure}> */
    private static array $timers = [];

    public static function onReadable(mixed $stream, Closure $call): void
    {
        self::$readers[(int) $stream] = [$stream, $call];
    }

    public static function cancel(mixed $stream): void
    {
        unset(self::$readers[(int) $stream]);
    }

    public static function delay(float $seconds, Closure $call): void
    {
        self::$timers[] = [microtime(true) + $seconds, $call];
    }

    public static function run(): void
    {
        while (self::$readers !== [] || self::$timers !== []) {
            usort(self::$timers, fn (array $a, array $b) => $a[0] <=> $b[0]);
            $pause = self::$timers === [] ? 60.0 : max(0.0, self::$timers[0][0] - microtime(true));
            $readable = array_column(self::$readers, 0);
            $none = null;
            if ($readable === []) {
                usleep((int) ($pause * 1e6));
            } else {
                stream_select($readable, $none, $none, (int) $pause, (int) (fmod($pause, 1) * 1e6));
            }
            foreach ($readable as $stream) {
                isset(self::$readers[(int) $stream]) && (self::$readers[(int) $stream][1])($stream);
            }
            while (self::$timers !== [] && self::$timers[0][0] <= microtime(true)) {
                (array_shift(self::$timers)[1])();
            }
        }
    }
}

/** Calls $done when every future of $batch is ready: the style of callbacks and promises. */
function when_ready(TagCache\Batch $batch, Closure $done): void
{
    Loop::onReadable($batch->stream(), function (mixed $stream) use ($batch, $done): void {
        // Takes what has arrived; at the time limit of the batch the stream is readable too.
        if ($batch->wait(0)) {
            Loop::cancel($stream);
            $done();
        }
    });
}

/** Suspends the Fiber until $future is ready and returns its value: the style of await. */
function await(TagCache\Batch $batch, TagCache\Future $future): mixed
{
    $fiber = Fiber::getCurrent();
    $stream = $batch->stream();
    Loop::onReadable($stream, function (mixed $stream) use ($future, $fiber): void {
        if ($future->ready()) {
            Loop::cancel($stream);
            $fiber->resume();
        }
    });
    Fiber::suspend();
    return $future->value();
}

$cache = new TagCache(getenv('TAGCACHE_DSN') ?: 'tagcache://127.0.0.1:1984?pool_size=4');
$cache->mSet(['demo:1' => 'one', 'demo:2' => 'two', 'demo:3' => 'three'], tags: ['demo']);

// Something else that the loop does all the while.
$ticks = 0;
$tick = function () use (&$tick, &$ticks): void {
    if (++$ticks < 5) {
        Loop::delay(0.001, $tick);
    }
};
Loop::delay(0.0, $tick);

// By callback.
$batch = $cache->batch();
$futures = [$batch->get('demo:1'), $batch->get('demo:4', 'a default'), $batch->keysByTag('demo')];
when_ready($batch, function () use ($futures): void {
    echo 'callback: ', implode(', ', array_map(fn ($future) => json_encode($future->value()), array_slice($futures, 0, 2))),
        ', ', count($futures[2]->value()), " keys\n";
});

// By Fiber: each waits for its own batch, all of them at once.
$order = [];
foreach ([1, 2, 3] as $n) {
    (new Fiber(function () use ($cache, $n, &$order): void {
        $batch = $cache->batch();
        $future = $batch->get("demo:$n");
        $value = await($batch, $future);
        // A call that waits, in the middle of it: at worst it drives the other Fibers' batches.
        // Its entry has a tag of its own: the first batch may still be counting those of "demo".
        $length = $cache->increment("demo:length:$n", strlen($value), tags: ['demo-lengths']);
        $order[$n] = "$n: $value ($length)";
    }))->start();
}

Loop::run();
ksort($order);
echo 'Fibers: ', implode(', ', $order), "\n";
echo "ticks meanwhile: $ticks\n";
echo $cache->invalidateTags(['demo', 'demo-lengths']), " entries removed\n";
