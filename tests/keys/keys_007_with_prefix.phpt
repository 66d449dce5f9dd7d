--TEST--
withPrefix(): a room within the handle's own, with its options and its pool
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

$bare = cache();
$shop = cache(['prefix' => k('shop:'), 'serializer' => 'json', 'timeout_ms' => 1234]);
$room = $shop->withPrefix('room:');
$inner = $room->withPrefix('inner:');
$beside = $shop->withPrefix('beside:');
$free = $bare->withPrefix(k('free:'));

foreach ([[$shop, 'shop:'], [$room, 'shop:room:'], [$inner, 'shop:room:inner:'], [$beside, 'shop:beside:'], [$free, 'free:']] as $n => [$cache, $prefix]) {
    same(TagCache::class, get_class($cache), "class of $prefix");
    $cache->set('key', $n, ['tag']);
    same($n, $bare->get(k("{$prefix}key")), "key of $prefix");
    same(['key'], $cache->keysByTag('tag'), "tags of $prefix");
    same(1, $cache->increment('count'), "count in $prefix");
    same([true, 1], $cache->pipeline(fn ($to) => $to->set('pipe', 1)->get('pipe')), "pipeline of $prefix");
    same(1, $cache->invalidateTag('tag'), "the tag of $prefix only");
    $cache->set('key', $n, ['tag']);
}

// Options and pool are those of the handle it was made from.
same(['json', 1234], [$room->__debugInfo()['serializer'], $room->__debugInfo()['timeout_ms']], 'options');
same(k('shop:room:'), $room->__debugInfo()['prefix'], 'the whole prefix');
check(isset($shop->poolStats()['opened']), 'a figure of the pool');
same($shop->poolStats()['opened'], $inner->poolStats()['opened'], 'the pool');
throws(TagCache\SerializationException::class, fn () => $room->set('o', new ArrayObject()), 'the serializer', 'json');

// flush() takes the room and what lies in it, not what is beside or around it.
check($room->flush() >= 6, 'flush of a room');
same([null, null, null], [$room->get('key'), $inner->get('key'), $inner->get('count')], 'the room and its own rooms');
same([0, 3, 4], [$shop->get('key'), $beside->get('key'), $free->get('key')], 'the others');
$room->set('key', 1);
$inner->set('key', 2);
$inner->increment('fresh');
$inner->pipeline(fn ($to) => $to->increment('piped')->add('added', 1));
check($shop->flush() >= 6, 'flush of the handle');
same([], array_filter([$shop, $room, $inner, $beside], fn ($cache) => $cache->mGet(['key', 'count', 'fresh', 'piped', 'added', 'pipe']) !== []), 'all rooms went with it');
same(4, $free->get('key'), 'and nothing else');
$free->flush();

// A subclass stays what it is, and keeps what it has.
class Counting extends TagCache
{
    public array $asked = [];
    public ?TagCache $seen = null;
    public ?string $within = null;

    public function __construct(public readonly string $mark, array $options)
    {
        parent::__construct($options);
    }

    public function __clone()
    {
        $this->within = $this->__debugInfo()['prefix'];
    }

    public function get(string $key, mixed $default = null): mixed
    {
        $this->asked[] = $key;
        return parent::get($key, $default);
    }
}
$counting = new Counting('mark', address());
$counting->get(k('first'));
$copy = $counting->withPrefix(k('sub:'));
same([Counting::class, 'mark'], [get_class($copy), $copy->mark], 'class and properties');
same(k('sub:'), $copy->within, '__clone() sees the copy as it will be');
$copy->set('a', 1);
same(1, $copy->get('a'), 'it works');
same([[k('first')], [k('first'), 'a']], [$counting->asked, $copy->asked], 'properties of its own');
same(1, $bare->get(k('sub:a')), 'its prefix');

class Refusing extends TagCache
{
    public function __clone()
    {
        throw new DomainException('not this one');
    }
}
throws(DomainException::class, fn () => (new Refusing(address()))->withPrefix('x:'), 'a __clone() that throws');

// It lives for itself.
$shop->close();
$room->set('key', 5);
same(5, $room->get('key'), 'the handle it was made from may be closed');
$room->flush();
throws(TagCache\ClosedException::class, fn () => $shop->withPrefix('x:'), 'a closed handle makes none');
throws(TagCache\ClosedException::class, fn () => (new ReflectionClass('TagCache'))->newInstanceWithoutConstructor()->withPrefix('x:'), 'one that was never made');

// What it can't be.
$class = TagCache\InvalidArgumentException::class;
throws($class, fn () => $bare->withPrefix(''), 'an empty one', '$prefix', 'empty');
foreach (['_', '__TC_NS__x', "a\n", 'a,b', ' a', "\xff", "a\0"] as $prefix) {
    throws($class, fn () => $bare->withPrefix($prefix), 'prefix ' . show($prefix), '$prefix');
}
throws($class, fn () => $room->withPrefix("ab\n"), 'the offset is that of the argument', '$prefix', 'byte 2');
throws($class, fn () => $room->withPrefix(''), 'an empty one does not lead back', 'empty');
same(k('shop:room:__TC_'), $room->withPrefix('__TC_')->__debugInfo()['prefix'], 'behind another nothing is reserved');

finish();
--EXPECT--
ok
