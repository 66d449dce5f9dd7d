--TEST--
Binary strings, invalid UTF-8, line ends and escapes come back byte for byte
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$strings = [
    "\xff\xfe", "\xc3", "\xc3\x28", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf", "\xef\xbb\xbfbom", "a\xffb",
    "line\nline", "line\r\nline\r\n", "\n", "\r", "\r\n", "\n\n\n", "end\r", "end\n", "\nstart", "a\tb", "\t", "\t\t\n",
    "a\nVALUE\tSTOLEN", "x\nFLUSH\n", "x\nPUT\tk\t-\t-\tv", "nul\0nul", "\0", "\0\0\0", '\t\n\r', 'C:\new\table\read', '\\',
    '\\\\n', "back\\\nslash", "\u{1F600}", "\u{200B}", "\u{FEFF}", "\u{85}", "\u{2028}", ' ', '  ', ' x ', "\u{A0}x\u{A0}",
    'é', "e\u{301}", "\x1b[31m", "\x7f", random_bytes(1), random_bytes(1000), random_bytes(65536),
    serialize("\xff"), pack('E', M_PI), hash('sha512', 'x', true),
];
$items = [];
foreach ($strings as $n => $string) {
    $cache->set(k($n), $string);
    same($string, $cache->get(k($n)), 'set/get of ' . show($string));
    $cache->set(k("array $n"), ["\0$string" => $string]);
    same(["\0$string" => $string], $cache->get(k("array $n")), 'in an array: ' . show($string));
    $items[k("m$n")] = $string;
}
// Every part of a text with everything in it.
$text = "aé\t\n\r\0\xff\\n__TC_1.5";
for ($from = 0; $from < strlen($text); $from++) {
    for ($length = 0; $from + $length <= strlen($text); $length++) {
        $items[k("cut $from $length")] = substr($text, $from, $length);
    }
}
$cache->mSet($items);
same($items, $cache->mGet(array_keys($items)), 'mSet/mGet');

finish();
--EXPECT--
ok
