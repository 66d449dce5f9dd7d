--TEST--
Every byte alone, doubled, and at the start, in the middle and at the end of a string
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$items = [];
for ($byte = 0; $byte < 256; $byte++) {
    $c = chr($byte);
    foreach ([$c, "$c$c", "a{$c}b", "{$c}b", "a$c", "ü{$c}é", "1$c", "{$c}1", "\\$c", "$c\\"] as $form => $string) {
        $items[k("$byte-$form")] = $string;
    }
    $cache->set(k("s$byte"), $c);
    same($c, $cache->get(k("s$byte")), 'set/get of ' . show($c));
}
same(2560, $cache->mSet($items), 'mSet');
$got = $cache->mGet(array_keys($items));
same(2560, count($got), 'mGet');
foreach ($items as $key => $string) {
    same($string, $got[$key] ?? null, 'mSet/mGet of ' . show($string));
}

finish();
--EXPECT--
ok
