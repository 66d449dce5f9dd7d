--TEST--
A pipeline of any size, and one with values that fill every buffer
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache(['timeout_ms' => 60_000]);
$pipeline = $cache->pipeline();
for ($n = 0; $n < 100_000; $n++) {
    $pipeline->set(k($n), $n, [k('all')]);
}
same(100_000, count(array_filter($pipeline->execute(), fn ($value) => $value === true)), 'set');
for ($n = 0; $n < 100_000; $n++) {
    $pipeline->get(k($n));
}
same(range(0, 99_999), $pipeline->execute(), 'get');
same([100_000], $pipeline->invalidateTag(k('all'))->execute(), 'all gone');

$value = random_bytes(1 << 20);
for ($n = 0; $n < 40; $n++) {
    $pipeline->set(k("large"), $value)->get(k("large"));
}
$pipeline->delete(k('large'));
foreach ($pipeline->execute() as $n => $got) {
    check($got === ($n % 2 === 0 ? true : $value), "large $n");
}

finish();
--EXPECT--
ok
