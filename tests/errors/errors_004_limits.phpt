--TEST--
A tagcached that is full or has too many clients says so
--FILE--
<?php
require __DIR__ . '/../inc/daemon.inc';

$server = new Daemon('--max-connections', '1');
$one = $server->cache(['pool_size' => 1]);
$one->set('a', 1);
$two = $server->cache(['pool_size' => 2, 'timeout_ms' => 2000]);
[$outcome] = timed(fn () => $two->get('a'));
check($outcome instanceof TagCache\Exception, 'one client too many: ' . show($outcome));
check(str_contains($outcome->getMessage(), 'too_many_connections'), 'its text: ' . $outcome->getMessage());
check(str_contains($outcome->getMessage(), 'max-connections'), 'what to raise: ' . $outcome->getMessage());
same(1, $one->get('a'), 'the first client is not disturbed');
same(0, $two->poolStats()['in_use'], 'no capacity is lost');
TagCache::drain();
check(eventually(fn () => timed(fn () => $two->get('a'))[0] === 1), 'when there is room it works');

$full = new Daemon('--max-memory', '1M', '--on-full', 'error');
$cache = $full->cache();
$stored = 0;
try {
    for (; $stored < 200; $stored++) {
        $cache->set("k$stored", str_repeat('x', 20_000));
    }
    check(false, 'the server never got full');
} catch (TagCache\Exception $thrown) {
    same(TagCache\ServerException::class, get_class($thrown), 'a full server: ' . show($thrown));
}
check($stored > 5, "values stored before: $stored");
same(str_repeat('x', 20_000), $cache->get('k0'), 'what is stored stays');
$cache->delete('k0');
same(true, $cache->set('k0', 'small'), 'room made by delete');

finish();
--EXPECT--
ok
