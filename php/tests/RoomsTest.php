<?php

declare(strict_types=1);

namespace TagCache\Tests;

use PHPUnit\Framework\TestCase;
use TagCache;
use TagCache\Laravel\Store;
use TagCache\Psr16\Cache;
use TagCache\Psr6\Pool;
use TagCache\Session\Handler;
use TagCache\Symfony\TagCacheAdapter;

/** One namespace for every kind of adapter: each has a room of its own. */
final class RoomsTest extends TestCase
{
    private TagCache $client;
    private string $app;
    private Pool $psr6;
    private Cache $psr16;
    private TagCacheAdapter $symfony;
    private Store $laravel;
    private Handler $session;

    protected function setUp(): void
    {
        $this->client = Server::handle();
        $this->app = Server::freshNamespace();
        $this->psr6 = new Pool($this->client, $this->app);
        $this->psr16 = new Cache($this->client, $this->app);
        $this->symfony = new TagCacheAdapter($this->client, $this->app);
        $this->laravel = new Store($this->client, $this->app);
        $this->session = new Handler($this->client, $this->app);
        $this->fill();
    }

    protected function tearDown(): void
    {
        $this->psr6->clear();
        $this->psr16->clear();
        $this->symfony->clear();
        $this->laravel->flush();
        $this->session->destroy('key');
        $this->session->close();
    }

    private function fill(): void
    {
        $this->psr6->save($this->psr6->getItem('key')->set('psr6')->setTags(['tag']));
        $this->psr16->set('key', 'psr16');
        $this->symfony->save($this->symfony->getItem('key')->set('symfony')->tag('tag'));
        $this->laravel->put('key', 'laravel', 60);
        $this->session->read('key');
        $this->session->write('key', 'session');
        $this->session->close();
    }

    /** @return list<string> the kinds whose entry is there, as it was stored */
    private function there(): array
    {
        $there = [
            'psr6' => $this->psr6->getItem('key')->get(),
            'psr16' => $this->psr16->get('key'),
            'symfony' => $this->symfony->getItem('key')->get(),
            'laravel' => $this->laravel->get('key'),
            'session' => $this->session->read('key'),
        ];
        $this->session->close();

        return array_keys(array_filter($there, static fn (mixed $value, string $kind) => $value === $kind, ARRAY_FILTER_USE_BOTH));
    }

    public function testNoneMeetsAnother(): void
    {
        $all = ['psr6', 'psr16', 'symfony', 'laravel', 'session'];
        self::assertSame($all, $this->there());
        $clear = [
            'psr6' => fn () => $this->psr6->clear(),
            'psr16' => fn () => $this->psr16->clear(),
            'symfony' => fn () => $this->symfony->clear(),
            'laravel' => fn () => $this->laravel->flush(),
        ];
        foreach ($clear as $kind => $one) {
            $one();
            self::assertSame(array_values(array_diff($all, [$kind])), $this->there(), "after $kind");
            $this->fill();
        }
        $this->psr6->invalidateTag('tag');
        self::assertSame(array_values(array_diff($all, ['psr6'])), $this->there(), 'tags do not meet either');
    }

    public function testTheNamesAreThoseOfThePage(): void
    {
        $rooms = ['psr6' => 'psr6', 'psr16' => 'psr16', 'symfony' => 'symfony', 'laravel' => 'laravel', 'session' => 'session'];
        foreach ($rooms as $kind => $value) {
            $room = $this->client->withPrefix("$this->app/$kind:");
            self::assertTrue($room->has('key'), $kind);
            self::assertSame(1, $this->client->withPrefix("$this->app/$kind:")->flush() > 0 ? 1 : 0, $kind);
            self::assertFalse($room->has('key'), $kind);
        }
        $this->fill();
        self::assertSame(1, $this->client->invalidateTag("$this->app/psr6:tag"));
        self::assertSame(1, $this->client->withPrefix("$this->app/symfony:")->invalidateTag('tag'));
        self::assertSame('psr16', $this->client->get("$this->app/psr16:key"));
        self::assertSame('laravel', $this->client->get("$this->app/laravel:key"));
    }

    public function testSharingOnPurpose(): void
    {
        $room = "$this->app/psr6:";
        $simple = new Cache($this->client, $room);
        self::assertSame('psr6', $simple->get('key'), 'a tagged entry of PSR-6, read by PSR-16');
        self::assertTrue($simple->set('other', ['a']));
        self::assertSame(['a'], $this->psr6->getItem('other')->get());
        $store = new Store($this->client, $room);
        self::assertSame(['psr6', ['a']], [$store->get('key'), $store->get('other')]);
        $symfony = new TagCacheAdapter($this->client, $room);
        self::assertSame('psr6', $symfony->getItem('key')->get());
        $symfony->save($symfony->getItem('third')->set('from symfony')->tag('theirs'));
        self::assertSame('from symfony', $simple->get('third'));
        self::assertSame(['theirs'], $this->psr6->getItem('third')->getPreviousTags());
        $this->psr6->invalidateTags(['tag', 'theirs']);
        self::assertFalse($simple->has('key'));
        self::assertFalse($symfony->hasItem('third'));
        $simple->clear();
        self::assertFalse($this->psr6->hasItem('other'));
        self::assertSame(['psr16', 'symfony', 'laravel', 'session'], $this->there());
    }

    public function testNoTwoNamespacesHaveTheSameRoom(): void
    {
        $seen = [];
        foreach (['a', 'a:b', 'a/b', 'a/b:c', '', '/', 'a/', '/a', 'a%3Ab', 'a b', "\xff", 'a:', 'a/psr6', 'a/psr6:x', "a/x:\n"] as $namespace) {
            foreach (['psr6', 'psr16'] as $kind) {
                $seen[] = (new TagCache\Support\Room($this->client, $namespace, $kind))->prefix;
            }
        }
        self::assertSame($seen, array_values(array_unique($seen)));
        foreach ($seen as $n => $one) {
            foreach ($seen as $m => $other) {
                self::assertTrue($n === $m || !str_starts_with($other, $one), "$one and $other");
            }
        }
    }

    public function testAHandleWithAPrefixBoundsThem(): void
    {
        $tenant = $this->client->withPrefix("$this->app-tenant:");
        $cache = new Cache($tenant, 'x');
        $cache->set('key', 1);
        self::assertSame(1, $this->client->get("$this->app-tenant:x/psr16:key"));
        $tenant->flush();
        self::assertFalse($cache->has('key'), 'flush() of the handle takes its rooms');
        self::assertSame(['psr6', 'psr16', 'symfony', 'laravel', 'session'], $this->there());
    }

    public function testEveryByteCanBeInAName(): void
    {
        for ($byte = 0; $byte < 256; ++$byte) {
            $name = chr($byte) . 'x' . chr($byte);
            $this->laravel->tags([$name])->put($name, $byte, 60);
            $names[] = TagCache\Support\Room::encode($name);
        }
        self::assertSame($names, array_values(array_unique($names)));
        for ($byte = 0; $byte < 256; ++$byte) {
            $name = chr($byte) . 'x' . chr($byte);
            self::assertSame($byte, $this->laravel->tags([$name])->get($name));
            $this->laravel->tags([$name])->flush();
            self::assertNull($this->laravel->tags([$name])->get($name));
        }
    }

    public function testLocksAreBesideTheRoom(): void
    {
        $lock = $this->laravel->lock('a:b', 60);
        self::assertTrue($lock->get());
        self::assertTrue($this->client->has("$this->app/laravel.lock:a%3Ab"));
        $this->laravel->flush();
        self::assertTrue($lock->release());
    }
}
