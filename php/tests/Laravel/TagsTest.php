<?php

declare(strict_types=1);

namespace TagCache\Tests\Laravel;

use Illuminate\Cache\Repository;
use PHPUnit\Framework\TestCase;
use TagCache\Laravel\Store;
use TagCache\Tests\Server;

/** Cache::tags() of Laravel. */
final class TagsTest extends TestCase
{
    private string $prefix;
    private Repository $cache;

    protected function setUp(): void
    {
        $this->prefix = Server::freshNamespace();
        $this->cache = new Repository(new Store(Server::handle(), $this->prefix));
    }

    protected function tearDown(): void
    {
        $this->cache->clear();
    }

    public function testFlushingATagRemovesWhatCarriesIt(): void
    {
        $this->cache->tags(['people', 'artists'])->put('John', 'A', 60);
        $this->cache->tags(['people', 'authors'])->put('Anne', 'B', 60);
        $this->cache->tags('authors')->forever('Ada', 'C');
        $this->cache->put('plain', 'D', 60);
        self::assertSame('A', $this->cache->tags(['people', 'artists'])->get('John'));
        self::assertSame('B', $this->cache->tags('people', 'authors')->get('Anne'));

        self::assertTrue($this->cache->tags('artists')->flush());
        self::assertNull($this->cache->tags(['people', 'artists'])->get('John'));
        self::assertSame('B', $this->cache->tags(['people', 'authors'])->get('Anne'));

        $this->cache->tags(['people', 'nobody'])->flush();
        self::assertNull($this->cache->tags(['people', 'authors'])->get('Anne'));
        self::assertSame('C', $this->cache->tags('authors')->get('Ada'));
        self::assertSame('D', $this->cache->get('plain'));

        $this->cache->clear();
        self::assertNull($this->cache->tags('authors')->get('Ada'));
    }

    public function testTheServerKeepsTheTags(): void
    {
        $this->cache->tags(['a', 'b'])->put('key', 'v', 60);
        $client = Server::handle();
        self::assertCount(1, $client->keysByTag("$this->prefix/laravel:a"));
        self::assertSame($client->keysByTag("$this->prefix/laravel:a"), $client->keysByTag("$this->prefix/laravel:b"));
        self::assertCount(1, $client->keysByTag("__TC_NS__$this->prefix/laravel:"), 'no ids of tags are stored');
        self::assertSame(1, $client->invalidateTag("$this->prefix/laravel:b"));
        self::assertNull($this->cache->tags(['a', 'b'])->get('key'));
    }

    public function testEveryWayOfWritingIsTagged(): void
    {
        $tagged = $this->cache->tags(['t', 'u']);
        $tagged->put('put', 1, 60);
        $tagged->putMany(['many1' => 1, 'many2' => 'x'], 60);
        $tagged->putMany(['ever1' => 1, 'ever2' => 2]);
        $tagged->forever('forever', 1);
        self::assertTrue($tagged->add('add', 1, 60));
        self::assertFalse($tagged->add('add', 2, 60));
        self::assertSame(1, $tagged->increment('inc'));
        self::assertSame(2, $tagged->increment('put'));
        self::assertSame(-1, $tagged->decrement('dec'));
        $tagged->remember('remember', 60, static fn () => 1);
        $tagged->rememberForever('sear', static fn () => 1);
        $tagged->set('set', 1, 60);
        $keys = ['put', 'many1', 'many2', 'ever1', 'ever2', 'forever', 'add', 'inc', 'dec', 'remember', 'sear', 'set'];
        foreach ($keys as $key) {
            self::assertNotNull($tagged->get($key), $key);
        }
        self::assertSame(['put' => 2, 'many2' => 'x', 'none' => null], $tagged->many(['put', 'many2', 'none']));
        $this->cache->tags('u')->flush();
        foreach ($keys as $key) {
            self::assertNull($tagged->get($key), $key);
        }
        self::assertSame([], Server::handle()->keysByTag("__TC_NS__$this->prefix/laravel:"));
    }

    public function testTaggedEntriesAreOthers(): void
    {
        $this->cache->put('key', 'plain', 60);
        $this->cache->tags('a')->put('key', 'a', 60);
        $this->cache->tags(['a', 'b'])->put('key', 'ab', 60);
        self::assertSame('plain', $this->cache->get('key'));
        self::assertSame('a', $this->cache->tags('a')->get('key'));
        self::assertSame('ab', $this->cache->tags(['a', 'b'])->get('key'));
        self::assertTrue($this->cache->tags('a')->forget('key'));
        self::assertNull($this->cache->tags('a')->get('key'));
        self::assertSame('plain', $this->cache->get('key'));
    }

    public function testTouchKeepsTheTags(): void
    {
        $store = new Store(Server::handle(), $this->prefix);
        $tagged = $store->tags(['t']);
        $tagged->put('key', 'v', 1);
        $tagged->put('n', 1, 1);
        foreach (['key', 'n'] as $key) {
            self::assertTrue($tagged->getStore()->touch($tagged->taggedItemKey($key), 60));
        }
        usleep(1_100_000);
        self::assertSame('v', $tagged->get('key'));
        self::assertSame(1, $tagged->get('n'));
        $tagged->flush();
        self::assertNull($tagged->get('key'));
        self::assertNull($tagged->get('n'));
    }

    public function testTagsOfAllKinds(): void
    {
        foreach (['a b', 'a,b', 'a|b', 'a:b', "nul\0", 'ü', '0', '{x}'] as $tag) {
            $this->cache->tags([$tag])->put('key', $tag, 60);
            $this->cache->tags(['a', 'b'])->put('key', 'both', 60);
            self::assertSame($tag, $this->cache->tags([$tag])->get('key'));
            $this->cache->tags([$tag])->flush();
            self::assertNull($this->cache->tags([$tag])->get('key'));
            self::assertSame('both', $this->cache->tags(['a', 'b'])->get('key'), "flushing $tag");
        }
        $this->cache->tags([7])->put('key', 'v', 60);
        self::assertSame('v', $this->cache->tags(['7'])->get('key'));
        self::assertSame('v', $this->cache->tags([Tag::Seven])->get('key'), 'an enum');
    }

    public function testATagSetOfItsOwn(): void
    {
        $set = $this->cache->tags(['a', 'b'])->getTags();
        self::assertSame(['a', 'b'], $set->getNames());
        $this->cache->tags(['a', 'b'])->put('key', 1, 60);
        $set->flushTag('b');
        self::assertNull($this->cache->tags(['a', 'b'])->get('key'));
        $this->cache->tags(['a', 'b'])->put('key', 1, 60);
        self::assertSame('a', $set->resetTag('a'));
        self::assertNull($this->cache->tags(['a', 'b'])->get('key'));
        $this->cache->tags(['a', 'b'])->put('key', 1, 60);
        $set->flush();
        self::assertNull($this->cache->tags(['a', 'b'])->get('key'));
    }

    public function testAListHasNoNames(): void
    {
        $store = new Store(Server::handle(), $this->prefix);
        $calls = [
            'tags' => fn () => $this->cache->tags(['people', 'ttl' => 60]),
            'invalidateTags' => fn () => $store->invalidateTags(['ttl' => 60]),
            'many' => fn () => $store->many(['ttl' => 'a']),
        ];
        foreach ($calls as $what => $call) {
            try {
                $call();
                self::fail("$what took it");
            } catch (\TagCache\InvalidArgumentException $e) {
                self::assertStringContainsString('"ttl"', $e->getMessage(), $what);
            }
        }
        $this->cache->tags([3 => 'people'])->put('a', 1, 60);
        self::assertSame(['a' => 1, 'b' => 2], $this->cache->tags('people')->many(['a', 'b' => 2]));
    }
}
