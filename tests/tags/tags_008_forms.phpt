--TEST--
Lists of tags of every form
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

final class Label
{
    public function __construct(private string $name)
    {
    }

    public function __toString(): string
    {
        return $this->name;
    }
}

$cache = cache();
$cache->set(k('keys'), 1, [9 => k('a'), 7 => k('b')]);
same([k('keys')], $cache->searchAll([k('a'), k('b')]), 'the numbers of the elements mean nothing');
$cache->set(k('twice'), 1, [k('c'), k('c'), k('c')]);
same([k('twice')], $cache->keysByTag(k('c')), 'the same tag three times');
same(1, $cache->invalidateTag(k('c')), 'counts once');
$holes = [k('d'), k('e'), k('f')];
unset($holes[1]);
$cache->set(k('holes'), 1, $holes);
same([k('holes')], $cache->keysByTag(k('f')), 'an array with holes');
same([], $cache->keysByTag(k('e')), 'what was unset is not there');
$number = random_int(1 << 40, 1 << 50);
$cache->set(k('int'), 1, [$number]);
same([k('int')], $cache->keysByTag((string) $number), 'an int is its digits');
same([k('int')], $cache->searchAny([$number]), 'here too');
$cache->set(k('inner'), 1, [k('in ner'), k('ünï'), k("\u{1F600}"), k('a:b/c\\d|e'), k('__TC_NULL__')]);
same([k('inner')], $cache->searchAll([k('in ner'), k('ünï'), k("\u{1F600}"), k('a:b/c\\d|e'), k('__TC_NULL__')]), 'unusual tags');
$many = [];
for ($n = 0; $n < 3000; $n++) {
    $many[] = k("many $n");
}
$cache->set(k('many'), 1, $many);
same([k('many')], $cache->keysByTag(k('many 0')), 'the first of 3000');
same([k('many')], $cache->keysByTag(k('many 2999')), 'the last of 3000');
same(1, $cache->invalidateTags($many), 'invalidateTags of 3000');
same(false, $cache->has(k('many')), 'gone');
$cache->set(k('long'), 1, [k(str_repeat('t', 60_000))]);
same([k('long')], $cache->keysByTag(k(str_repeat('t', 60_000))), 'a long tag');

foreach (['null' => null, 'a float' => 1.5, 'true' => true, 'an array' => ['x'], 'an object' => new stdClass()] as $what => $tag) {
    $calls = [
        'set' => fn () => $cache->set(k('no'), 1, [k('a'), $tag]),
        'mSet' => fn () => $cache->mSet([k('no') => 1], null, [k('a'), $tag]),
        'increment' => fn () => $cache->increment(k('no'), 1, null, [k('a'), $tag]),
        'invalidateTags' => fn () => $cache->invalidateTags([k('a'), $tag]),
        'searchAny' => fn () => $cache->searchAny([k('a'), $tag]),
        'searchAll' => fn () => $cache->searchAll([k('a'), $tag]),
    ];
    foreach ($calls as $name => $call) {
        throws(TagCache\InvalidArgumentException::class, $call, "$name with $what", '$tags', 'element 1');
    }
    same(false, raises(E_WARNING, fn () => tagcache_put($cache, k('no'), 1, [$tag]), "tagcache_put with $what", 'element 0'),
        "tagcache_put with $what");
}
same(false, $cache->has(k('no')), 'nothing was written');
same(1, $cache->get(k('keys')), 'nothing was invalidated');

finish();
--EXPECT--
ok
