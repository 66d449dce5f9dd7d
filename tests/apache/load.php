<?php
/*
 * One request of the load: works on keys that no other request knows, and checks every byte that
 * comes back. An answer that belongs to anybody else cannot match, as each value carries the
 * request's own random id.
 */
declare(strict_types=1);

require __DIR__ . '/inc.php';

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

try {
    $cache = load_cache();
    $id = bin2hex(random_bytes(10));
    $values = own_values($id);
    $keys = array_keys($values);
    $ttl_ms = 60_000;

    // One by one, each under two tags of this request.
    foreach ($values as $key => $value) {
        expect_same("set $key", true, $cache->set($key, $value, ["$id:all", "$id:one"], $ttl_ms));
    }
    foreach ($values as $key => $value) {
        expect_same("get $key", $value, $cache->get($key, "$id:absent"));
    }

    // In bulk: what is there in the order asked, what is not there left out.
    $asked = $keys;
    shuffle($asked);
    $want = [];
    foreach ($asked as $key) {
        $want[$key] = $values[$key];
    }
    expect_same('mGet', $want, $cache->mGet([...$asked, "$id:never"]));

    // A second set of keys under one tag, which is then invalidated: they go, the others stay.
    $more = [];
    for ($i = 0; $i < 5; $i++) {
        $more["$id:more$i"] = str_repeat("$id.$i ", mt_rand(1, 20));
    }
    expect_same('mSet', 5, $cache->mSet($more, $ttl_ms, ["$id:more"]));
    $found = $cache->keysByTag("$id:more");
    sort($found);
    expect_same('keysByTag', array_keys($more), $found);
    expect_same('invalidateTag', 5, $cache->invalidateTag("$id:more"));
    expect_same('mGet after invalidateTag', [], $cache->mGet(array_keys($more)));
    expect_same('get of another tag', $values["$id:short"], $cache->get("$id:short"));

    expect_same('increment', 7, $cache->increment("$id:counter", 7, $ttl_ms, ["$id:all"]));
    expect_same('increment again', 12, $cache->increment("$id:counter", 5));
    expect_same('add to a key that is there', false, $cache->add("$id:short", 'theirs'));

    // Leave nothing behind.
    expect_same('invalidateTag all', count($keys) + 1, $cache->invalidateTag("$id:all"));
    expect_same('miss', "$id:absent", $cache->get("$id:short", "$id:absent"));
    echo "ok\n";
} catch (TagCache\Exception $e) {
    http_response_code(503);
    error_log(get_class($e) . ': ' . $e->getMessage());
    echo 'ERROR ', get_class($e), ': ', $e->getMessage(), "\n";
}
