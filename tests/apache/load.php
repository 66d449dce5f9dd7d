<?php
/*
 * One request of the load: works on keys that no other request knows, and checks every byte that
 * comes back. An answer that belongs to anybody else cannot match, as each value carries the
 * request's own random id. What a server answers that was emptied in between is said at each check.
 */
declare(strict_types=1);

require __DIR__ . '/inc.php';

const TTL_MS = 60_000;

/** @return array<string, mixed> values of every kind, each with the id of the request in it */
function own_values(string $id): array
{
    return [
        "$id:short" => "$id short",
        "$id:long" => str_repeat("$id|", mt_rand(1, 400)),
        "$id:bytes" => $id . "\0\r\n\t" . random_bytes(mt_rand(1, 3000)),
        "$id:int" => hexdec(substr($id, 0, 12)),
        "$id:list" => ['id' => $id, 'n' => [1, -2, 3.5, null, true], 'text' => "line\nline"],
        "$id:empty" => '',
        "$id:null" => null,
    ];
}

/** Tells whether $got is $want without some of its elements. */
function part_of(array $want): Closure
{
    return fn (mixed $got) => is_array($got) && $got === array_intersect_key($want, $got);
}

/** Tells whether $got is a count of at most $most. */
function at_most(int $most): Closure
{
    return fn (mixed $got) => is_int($got) && $got >= 0 && $got <= $most;
}

/** One by one, each under two tags of this request. */
function singly(Timed $cache, string $id, array $values): void
{
    foreach ($values as $key => $value) {
        expect_same("set $key", true, $cache->set($key, $value, ["$id:all", "$id:one"], TTL_MS));
    }
    foreach ($values as $key => $value) {
        expect_same("get $key", $value, $cache->get($key, "$id:absent"), "$id:absent");
    }
}

/** In bulk: what is there in the order asked, what is not there left out. */
function in_bulk(Timed $cache, string $id, array $values): void
{
    $asked = array_keys($values);
    shuffle($asked);
    $want = [];
    foreach ($asked as $key) {
        $want[$key] = $values[$key];
    }
    expect_same('mGet', $want, $cache->mGet([...$asked, "$id:never"]), part_of($want));
}

/** A second set of keys under one tag, which is then invalidated: they go, the others stay. */
function by_tag(Timed $cache, string $id, array $values): void
{
    $more = [];
    for ($i = 0; $i < 5; $i++) {
        $more["$id:more$i"] = str_repeat("$id.$i ", mt_rand(1, 20));
    }
    expect_same('mSet', 5, $cache->mSet($more, TTL_MS, ["$id:more"]));
    $found = $cache->keysByTag("$id:more");
    sort($found);
    $keys = array_keys($more);
    expect_same('keysByTag', $keys, $found, fn ($got) => array_diff($got, $keys) === []);
    expect_same('invalidateTag', 5, $cache->invalidateTag("$id:more"), at_most(4));
    expect_same('mGet after invalidateTag', [], $cache->mGet($keys));
    expect_same('get of another tag', $values["$id:short"], $cache->get("$id:short"));
}

function counting(Timed $cache, string $id): void
{
    expect_same('increment', 7, $cache->increment("$id:counter", 7, TTL_MS, ["$id:all"]));
    expect_same('increment again', 12, $cache->increment("$id:counter", 5), 5);
    $added = $cache->add("$id:short", "$id theirs", [], TTL_MS);
    expect_same('add to a key that is there', false, $added, true);
}

/** A pipeline of its own keys: each result in its place. */
function in_pipeline(Timed $cache, string $id, array $values): void
{
    $pipeline = $cache->pipeline();
    $want = [];
    foreach ($values as $key => $value) {
        $pipeline->set("$key:piped", $value, ["$id:all"], TTL_MS)->get("$key:piped", "$id:absent");
        array_push($want, true, $value);
    }
    $start = hrtime(true);
    $got = $pipeline->mGet(["$id:never"])->increment("$id:piped", 3, TTL_MS, ["$id:all"])->execute();
    $cache->note('execute', $start);
    array_push($want, [], 3);
    expect_same('results of the pipeline', count($want), count($got));
    foreach ($got as $n => $result) {
        if ($result instanceof TagCache\Exception) {
            throw $result;
        }
        expect_same("result $n of the pipeline", $want[$n], $result, "$id:absent");
    }
}

/** A batch under way while the same thread makes other calls; each future gives its own value. */
function in_batch(Timed $cache, string $id, array $values): void
{
    $batch = $cache->batch();
    $futures = [];
    foreach ($values as $key => $value) {
        $batch->set("$key:batch", $value, ["$id:all"], TTL_MS);
        $futures[$key] = $batch->get("$key:batch", "$id:absent");
    }
    $all = $batch->mGet(["$id:never", "$id:never2"]);
    $batch->send();
    expect_same('get beside a batch', "$id:absent", $cache->get("$id:never", "$id:absent"));
    $start = hrtime(true);
    $settled = $batch->wait();
    $cache->note('wait', $start);
    expect_same('wait', true, $settled);
    foreach ($futures as $key => $future) {
        expect_same("future $key", $values[$key], $future->value(), "$id:absent");
    }
    expect_same('mGet in a batch', [], $all->value());
    // One that is dropped in the middle: its connection must not come to anybody else.
    if (mt_rand(1, 10) === 1) {
        $dropped = $cache->batch();
        $dropped->get("$id:short");
        $dropped->send();
    }
}

function leave_nothing(Timed $cache, string $id, array $values): void
{
    // The values three times, two counters.
    $count = 3 * count($values) + 2;
    expect_same('invalidateTag all', $count, $cache->invalidateTag("$id:all"), at_most($count - 1));
    expect_same('miss', "$id:absent", $cache->get("$id:short", "$id:absent"));
}

$deep = settings()['deep'] ?? null;
$state = $deep === null ? '' : server_state();
$cache = new Timed(load_cache());
try {
    if ($deep !== null) {
        Generation::begin($cache->cache);
    }
    $id = bin2hex(random_bytes(10));
    $values = own_values($id);
    singly($cache, $id, $values);
    in_bulk($cache, $id, $values);
    if ($deep !== null && mt_rand(1, 1000) <= $deep['deaths']) {
        die_somehow($cache, $id);
    }
    by_tag($cache, $id, $values);
    counting($cache, $id);
    in_pipeline($cache, $id, $values);
    in_batch($cache, $id, $values);
    if ($deep !== null) {
        Ledger::enter($cache);
        Ledger::audit($cache);
    }
    leave_nothing($cache, $id, $values);
    header(sprintf('X-Slowest-Call: %.1f %s', $cache->slowest_ms, $cache->slowest));
    echo "ok\n";
} catch (TagCache\Exception $e) {
    http_response_code(503);
    header(sprintf('X-Slowest-Call: %.1f %s', $cache->slowest_ms, $cache->slowest));
    if ($deep === null) {
        error_log(get_class($e) . ': ' . $e->getMessage());
    } else {
        explain_error($state, $e);
    }
    echo 'ERROR ', get_class($e), ': ', $e->getMessage(), "\n";
}
