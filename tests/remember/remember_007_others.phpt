--TEST--
What others store under the key of remember() is neither judged by the note of another value nor overwritten
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$calls = 0;
$made = function (mixed $value) use (&$calls): Closure {
    return function () use ($value, &$calls): mixed {
        $calls++;
        usleep(3000);
        return $value;
    };
};
$ways = [
    'set' => function (string $key) use ($cache): string {
        $cache->set($key, 'theirs', [], 60_000);
        return 'theirs';
    },
    'delete and set' => function (string $key) use ($cache): array {
        $cache->delete($key);
        $cache->set($key, ['theirs']);
        return ['theirs'];
    },
    'invalidateTag and set' => function (string $key) use ($cache): string {
        same(1, $cache->invalidateTag(k('tag')), 'the value alone carries the tag');
        $cache->set($key, 'theirs', [k('tag')]);
        return 'theirs';
    },
    'mSet' => function (string $key) use ($cache): null {
        $cache->mSet([$key => null]);
        return null;
    },
    'increment' => function (string $key) use ($cache): int {
        for ($n = 0; $n < 11; $n++) {
            $cache->increment($key);
        }
        return 11;
    },
    'another client' => function (string $key): string {
        raw("PUT\t$key\t60000\t-\ttheirs");
        return 'theirs';
    },
];
// Its time is over and it may be stale; or it is to be made early, as beta is large and 3 ms were needed: by chance, at every second look or so.
$times = ['stale' => [40, ['stale_ms' => 60_000, 'beta' => 0]], 'early' => [2000, ['beta' => 1000]]];
foreach ($times as $time => [$ttl, $options]) {
    foreach ($ways as $way => $change) {
        $key = k("$time $way");
        $first = $cache->remember($key, $made(0), [k('tag')], $ttl, $options);
        same(0, $first, "$time, $way: made");
        $theirs = $change($key);
        usleep(50_000);
        $calls = 0;
        for ($n = 0; $n < 20; $n++) {
            same($theirs, $cache->remember($key, $made('ours'), [k('tag')], $ttl, $options), "$time, $way: what they stored");
        }
        same([0, $theirs], [$calls, $cache->get($key)], "$time, $way: and it stays");
        $cache->delete($key);
    }
}

// What is stored while a value is made anew stays; so does that nothing is.
$during = $ways + ['delete' => function (string $key) use ($cache): string {
    $cache->delete($key);
    return 'nothing';
}];
unset($during['invalidateTag and set']);
foreach ($times as $time => [$ttl, $options]) {
    foreach ($during as $way => $change) {
        $key = k("during $time $way");
        $cache->remember($key, $made(0), [], $ttl, $options);
        usleep(50_000);
        $theirs = 'unchanged';
        for ($n = 0; $n < 200 && $theirs === 'unchanged'; $n++) {
            // With beta it is made anew by chance.
            $value = $cache->remember($key, function () use ($change, $key, &$theirs): string {
                $theirs = $change($key);
                return 'ours';
            }, [], $ttl, $options);
        }
        same('ours', $value, "during, $time, $way: who made a value gets it");
        same($theirs, $cache->get($key, 'nothing'), "during, $time, $way: theirs stays");
    }
}
// The same where nothing was before.
foreach ($ways as $way => $change) {
    $key = k("missing $way");
    if ($way === 'invalidateTag and set') {
        continue;
    }
    $theirs = null;
    $value = $cache->remember($key, function () use ($change, $key, &$theirs): string {
        $theirs = $change($key);
        return 'ours';
    }, [], 60_000, ['stale_ms' => 60_000]);
    same('ours', $value, "missing, $way: who made a value gets it");
    same($theirs, $cache->get($key), "missing, $way: theirs stays");
    same(false, $cache->has("$key~note"), "missing, $way: no note for a value that was not stored");
}

// A note does count for the value that it is of, however that is written.
$kinds = [[], ['prefix' => k('p:')], ['compression' => 'lz4', 'compression_threshold' => 64], ['serializer' => 'json']];
foreach ($kinds as $options) {
    $handle = cache($options);
    foreach (['text', "line\nfeed", str_repeat('long ', 500), 7, null, ['a' => [1, 2]]] as $n => $value) {
        $key = k("counts $n" . json_encode(array_keys($options)));
        $what = show($options) . ", value $n";
        $handle->remember($key, fn () => $value, [], 30, ['stale_ms' => 60_000, 'beta' => 0]);
        usleep(40_000);
        same('anew', $handle->remember($key, fn () => 'anew', [], 60_000, ['stale_ms' => 60_000, 'beta' => 0]), "$what: made anew when its time is over");
        same('anew', $handle->remember($key, $made('late'), [], 60_000, ['stale_ms' => 60_000, 'beta' => 0]), "$what: once");
    }
}
finish();
--EXPECT--
ok
