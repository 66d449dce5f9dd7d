--TEST--
mSetItems: tags and time to live an item, and no way to take an item for a value
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$cache = cache();
$value = ['value' => 1, 'tags' => [k('not a tag')], 'ttl_ms' => 5];
same(4, $cache->mSetItems([
    k('plain') => ['value' => 'x'],
    k('tagged') => ['value' => [1, 2], 'tags' => [k('t'), k('u')], 'ttl_ms' => null],
    k('short') => ['ttl_ms' => 30, 'value' => null, 'tags' => []],
    k('looks') => ['value' => $value, 'tags' => [k('t')]],
]), 'stored');
same([k('looks') => $value, k('plain') => 'x'], $cache->mGet([k('looks'), k('plain')]), 'values');
same_set([k('tagged'), k('looks')], $cache->keysByTag(k('t')), 'the tag t');
same([k('tagged')], $cache->keysByTag(k('u')), 'the tag u');
same([], $cache->keysByTag(k('not a tag')), 'the tags in a value are none');
check(eventually(fn () => !$cache->has(k('short'))), 'the time to live');
same(true, $cache->has(k('plain')), 'of that item only');
same(1, $cache->mSet([k('set') => $value]), 'mSet takes the same array for a value');
same($value, $cache->get(k('set')), 'and gives it back');
same(2, $cache->mSetItems([7 => ['value' => 'int'], '08' => ['value' => 'string']]), 'integer keys');
same([7 => 'int', '08' => 'string'], $cache->mGet(['7', '08']), 'read');
$cache->mDelete([7, '08']);
same(0, $cache->mSetItems([]), 'nothing');

$invalid = TagCache\InvalidArgumentException::class;
foreach ([
    'no array' => [5, 'value'],
    'no value' => [['tags' => []], "no 'value'"],
    'another field' => [['value' => 1, 'ttl' => 5], 'ttl'],
    'a list' => [[1], 'value'],
    'tags of a string' => [['value' => 1, 'tags' => 'a'], 'tags'],
    'a bad tag' => [['value' => 1, 'tags' => ['a,b']], 'comma'],
    'a ttl of 0' => [['value' => 1, 'ttl_ms' => 0], 'ttl_ms'],
    'a ttl of a string' => [['value' => 1, 'ttl_ms' => '5'], 'ttl_ms'],
] as $what => [$item, $part]) {
    throws($invalid, fn () => $cache->mSetItems([k('plain') => ['value' => 'overwritten'], k('bad') => $item]), $what, $part, k('bad'));
}
throws(TagCache\SerializationException::class, fn () => $cache->mSetItems([k('c') => ['value' => fn () => 1]]), 'a closure', k('c'));
throws($invalid, fn () => $cache->mSetItems(["a\n" => ['value' => 1]]), 'a bad key');
same('x', $cache->get(k('plain')), 'nothing was stored');

// References, and code of the user that changes them meanwhile.
class Meddler
{
    public static array $target;

    public function __serialize(): array
    {
        self::$target = ['gone'];
        return [];
    }
}
$items = [k('m') => ['value' => [new Meddler(), 'rest'], 'tags' => [k('m')]], k('n') => ['value' => str_repeat('n', 100)]];
Meddler::$target = [new Meddler(), 'rest'];
$items[k('m')]['value'] = &Meddler::$target;
same(2, $cache->mSetItems($items), 'an item that is erased meanwhile');
same(['rest', str_repeat('n', 100)], [$cache->get(k('m'))[1], $cache->get(k('n'))], 'all of it was stored');

finish();
--EXPECT--
ok
