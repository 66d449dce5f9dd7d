--TEST--
What one serializer wrote every handle reads, and a missing extension is named
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$names = ['php', 'igbinary', 'msgpack', 'json', 'native'];
$value = [1, 'two' => 2.5, 'list' => [true, null, ['' => 'é']], -3 => '007', 'one' => 1.0];
foreach (['php', 'igbinary', 'msgpack', 'json'] as $writer) {
    cache(['serializer' => $writer])->set(k($writer), $value);
    foreach ($names as $reader) {
        alike($value, cache(['serializer' => $reader])->get(k($writer)), "$reader reads what $writer wrote");
    }
}
$class = TagCache\SerializationException::class;
throws($class, fn () => cache(['serializer' => 'native'])->set(k('n'), []), 'native refuses an array', 'native', 'an array');
throws($class, fn () => cache(['serializer' => 'native'])->set(k('n'), new stdClass()), 'and an object', 'stdClass');
throws($class, fn () => cache(['serializer' => 'native'])->set(k('n'), STDIN), 'and a resource');
foreach ([null, true, 5, 1.0, NAN, '007', "\0", 'text'] as $scalar) {
    cache(['serializer' => 'native'])->set(k('n'), $scalar);
    alike($scalar, cache()->get(k('n')), 'native stores ' . show($scalar));
}

// What a serializer can't give back, and the word for it in the message.
enum Suit { case Hearts; }
class Declared { public $a = 1; public $b = 2; public int $never; }
class Hidden { private $a = 1; }
$ref = 1;
$without = new Declared();
unset($without->b);
$itself = [];
$itself['self'] = &$itself;
$alone = $itself;
unset($itself);
$refusals = [
    ['msgpack', $without, 'Declared'], ['msgpack', [(object) (array) new Hidden()], 'stdClass'], ['igbinary', [$alone], 'in itself'],
    ['msgpack', [Suit::Hearts], 'the enum Suit'], ['msgpack', [&$ref, &$ref], 'reference'], ['msgpack', new DateTime(), 'DateTime'],
    ['json', [Suit::Hearts], 'the enum Suit'], ['json', ['d' => new DateTime()], 'DateTime'], ['json', ["\xff"], 'UTF-8'],
    ['json', ["\xff" => 1], 'UTF-8'], ['json', [[&$ref, &$ref]], 'reference'], ['json', [NAN], 'NAN'], ['json', [-INF], 'INF'],
    ['json', new stdClass(), 'stdClass'],
];
foreach ($refusals as [$name, $refused, $word]) {
    throws($class, fn () => cache(['serializer' => $name])->set(k('refused'), $refused), "$name: $word", $name, $word);
}
// What they can give back: the same where nothing is lost.
$shared = [];
$shared['self'] = &$shared;
foreach ([['msgpack', new Declared()], ['msgpack', new Hidden()], ['igbinary', $shared], ['php', $alone]] as $n => [$name, $value]) {
    cache(['serializer' => $name])->set(k('kept'), $value);
    same(serialize($value), serialize(cache()->get(k('kept'))), "$name gives back value $n");
}
$deep = [];
for ($n = 0; $n < 600; $n++) {
    $deep = [$deep];
}
throws($class, fn () => cache(['serializer' => 'json'])->set(k('refused'), $deep), 'json, deep', 'deeper than 512');
foreach (['php', 'igbinary'] as $name) {
    foreach ([new ArrayObject([STDIN]), SplFixedArray::fromArray([[STDIN]]), [[(object) ['f' => STDIN]]]] as $holder) {
        throws($class, fn () => cache(['serializer' => $name])->set(k('refused'), $holder), "$name: a resource in " . get_debug_type($holder), 'resource');
    }
}
same(false, cache()->has(k('refused')), 'nothing was written');

// Floats are exact whatever the setting of PHP's serializer.
ini_set('serialize_precision', '5');
foreach (['php', 'igbinary', 'msgpack', 'json'] as $name) {
    cache(['serializer' => $name])->set(k('float'), [0.1 + 0.2]);
    same([0.1 + 0.2], cache()->get(k('float')), "$name and serialize_precision");
}
same('5', ini_get('serialize_precision'), 'which is as it was');
ini_set('serialize_precision', '-1');

// Extensions that are not loaded.
$out = run_php(<<<'PHP'
    foreach (['igbinary', 'msgpack'] as $name) {
        throws(TagCache\InvalidArgumentException::class, fn () => cache(['serializer' => $name]), $name, "php-$name");
        throws(TagCache\SerializationException::class, fn () => cache()->get($argv[1] . $name), "get of $name", "php-$name");
    }
    same(false, raises(E_WARNING, fn () => tagcache_create(['serializer' => 'igbinary'] + address()), 'create', 'php-igbinary'), 'create');
    same(1, cache()->get($argv[1] . 'php')[0], 'php works without');
    finish();
    PHP, [k('')]);
same("ok\n", $out->output, 'without the extensions: ' . $out->errors);

finish();
--EXPECT--
ok
