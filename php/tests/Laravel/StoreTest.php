<?php

declare(strict_types=1);

namespace TagCache\Tests\Laravel;

use Illuminate\Cache\Repository;
use PHPUnit\Framework\TestCase;
use TagCache\Laravel\Store;
use TagCache\Support\Entry;
use TagCache\Tests\Server;
use TagCache\Tests\Support\Processes;

/** What Laravel expects of a store. */
final class StoreTest extends TestCase
{
    private string $prefix;
    private Store $store;

    protected function setUp(): void
    {
        $this->prefix = Server::freshNamespace();
        $this->store = new Store(Server::dsn(), $this->prefix);
    }

    protected function tearDown(): void
    {
        $this->store->flush();
    }

    public function testPutAndGet(): void
    {
        self::assertNull($this->store->get('key'));
        foreach (['text', 5, -1.5, true, false, [], ['a' => [1]], "\xff\0", '5', new \ArrayObject([1])] as $value) {
            self::assertTrue($this->store->put('key', $value, 60));
            self::assertEquals($value, $this->store->get('key'));
            self::assertSame(get_debug_type($value), get_debug_type($this->store->get('key')));
        }
    }

    public function testMany(): void
    {
        self::assertTrue($this->store->putMany(['a' => 1, 'b' => 'B', 7 => 'seven'], 60));
        $this->store->forever('null', null);
        self::assertSame(
            ['b' => 'B', 'none' => null, 'a' => 1, 7 => 'seven', 'null' => null],
            $this->store->many(['b', 'none', 'a', '7', 'null']),
        );
        $this->store->putMany([7 => 70, 'b' => '8'], 60);
        $this->store->increment('7');
        self::assertSame([7 => 71, 'b' => '8', 'a' => 1], $this->store->many([7, 'b', 'a']), 'some that were counted');
        self::assertSame([], $this->store->many([]));
        self::assertTrue($this->store->putMany([], 60));
    }


    public function testExpiry(): void
    {
        $this->store->put('short', 1, 1);
        $this->store->put('zero', 1, 0);
        $this->store->forever('long', 1);
        self::assertSame(1, $this->store->get('zero'), 'less than a second is a second');
        usleep(1_100_000);
        self::assertNull($this->store->get('short'));
        self::assertNull($this->store->get('zero'));
        self::assertSame(1, $this->store->get('long'));
    }

    public function testForget(): void
    {
        $this->store->put('key', 'x', 60);
        $this->store->put('n', 5, 60);
        self::assertTrue($this->store->forget('key'));
        self::assertFalse($this->store->forget('key'));
        self::assertTrue($this->store->forget('n'));
        self::assertNull($this->store->get('n'));
    }

    public function testAddIsAtomic(): void
    {
        self::assertTrue($this->store->add('key', 'first', 60));
        self::assertFalse($this->store->add('key', 'second', 60));
        self::assertSame('first', $this->store->get('key'));
        self::assertTrue($this->store->add('short', 1, 1));
        usleep(1_100_000);
        self::assertTrue($this->store->add('short', 2, 1));
    }

    public function testIncrementAndDecrement(): void
    {
        self::assertSame(1, $this->store->increment('n'));
        self::assertSame(6, $this->store->increment('n', 5));
        self::assertSame(4, $this->store->decrement('n', 2));
        self::assertSame(-1, $this->store->decrement('m'));
        $this->store->put('p', 10, 60);
        self::assertSame(11, $this->store->increment('p'));
        self::assertSame(11, $this->store->get('p'));
        $this->store->put('text', 'abc', 60);
        self::assertFalse($this->store->increment('text'));
        $this->store->flush();
        self::assertNull($this->store->get('n'), 'counters are flushed too');
    }

    public function testDigitsCanBeCountedWith(): void
    {
        foreach (['5' => 6, '-3' => -2, '0' => 1] as $digits => $next) {
            $digits = (string) $digits;
            $this->store->put('d', $digits, 60);
            self::assertSame($digits, $this->store->get('d'), 'they are stored as they are');
            self::assertSame($next, $this->store->increment('d'));
            self::assertSame($next + 2, $this->store->increment('d', 2));
        }
        foreach (['007', '1.5', '1e3', ' 1', '', '99999999999999999999'] as $none) {
            $this->store->put('d', $none, 60);
            self::assertFalse($this->store->increment('d'), $none);
            self::assertSame($none, $this->store->get('d'));
        }
        $this->store->add('soon', '1', 1);
        self::assertSame(3, $this->store->increment('soon', 2));
        $this->store->tags('t')->forever('tagged', '1');
        self::assertSame(2, $this->store->tags('t')->increment('tagged'));
        $this->store->tags('t')->flush();
        self::assertNull($this->store->tags('t')->get('tagged'), 'it keeps its tags');
        usleep(1_100_000);
        self::assertNull($this->store->get('soon'), 'it keeps its time');
    }

    public function testACounterEndsWhenItWasToEnd(): void
    {
        $this->store->add('n', 0, 1);
        for ($began = microtime(true); microtime(true) - $began < 0.9;) {
            $this->store->increment('n');
            usleep(50_000);
        }
        self::assertGreaterThan(5, $this->store->get('n'));
        usleep(250_000);
        self::assertNull($this->store->get('n'), 'increments must not prolong it');
    }

    /** Runs code with $store in another PHP, whose clocks are off by so much. */
    private function elsewhere(float $seconds, string $code): array
    {
        $clocks = "function time() { return (int) microtime(true); }
            function microtime(\$float = false) { return \\microtime(true) + $seconds; }";
        $code = "namespace TagCache\\Laravel { $clocks } namespace TagCache\\Support { $clocks } namespace {
            require \$argv[1];
            \$store = new TagCache\\Laravel\\Store(TagCache\\Tests\\Server::dsn(), \$argv[2]);
            $code }";

        return Processes::start($code, [dirname(__DIR__) . '/bootstrap.php', $this->prefix]);
    }

    public function testMachinesWhoseClocksDifferCountTogether(): void
    {
        $count = 'for ($i = 0; $i < 5; ++$i) { echo $store->increment("n"), " "; usleep(20_000); }';
        foreach (['add("n", 0, 2)' => -1.5, 'put("n", "0", 2)' => 1.5] as $begin => $seconds) {
            $this->store->forget('n');
            self::assertSame([0, ''], Processes::finish($this->elsewhere($seconds, "\$store->$begin;")));
            $began = microtime(true);
            self::assertSame([0, '1 2 3 4 5 '], Processes::finish($this->elsewhere(-$seconds, $count)), $begin);
            self::assertSame(6, $this->store->increment('n'));
            usleep((int) max(0, 1e6 * ($began + 2.1 - microtime(true))));
            self::assertNull($this->store->get('n'), "$begin: and it ends when it was to end");
        }
    }

    public function testOneThatIsReplacedIsNotTakenForWhatWasThereBefore(): void
    {
        $name = $this->store->getPrefix() . 'n';
        $replace = [
            'put' => fn () => $this->store->put('n', 7, 60),
            'put, as digits' => fn () => $this->store->put('n', '7', 60),
            'forever' => fn () => $this->store->forever('n', 7),
            'forget and add' => fn () => $this->store->forget('n') && $this->store->add('n', 7, 60),
            'another client' => fn () => $this->store->client()->set($name, 7, [], 60_000),
        ];
        foreach ($replace as $how => $set) {
            $this->store->put('n', 100, 1);
            self::assertSame(101, $this->store->increment('n'));
            $set();
            self::assertEquals(7, $this->store->get('n'), $how);
            self::assertSame(8, $this->store->increment('n'), $how);
            self::assertSame(['n' => 8], $this->store->many(['n']), $how);
        }
        usleep(1_100_000);
        self::assertSame(8, $this->store->get('n'), 'nor is its time');
    }

    public function testWhatAnotherAdapterStoredIsNoWindow(): void
    {
        // As Symfony's adapter stores an integer with an expiry, in a room that both share.
        $stored = (new Entry(5, [], '8 bytes.'))->stored();
        $this->store->client()->set($this->store->getPrefix() . 'n', $stored, [], 60_000);
        self::assertSame(5, $this->store->get('n'));
        self::assertFalse($this->store->increment('n'));
        self::assertSame(5, $this->store->get('n'));
        self::assertTrue($this->store->touch('n', 60));
        self::assertSame(6, $this->store->increment('n'));
    }

    public function testManyProcessesCountWithoutLoss(): void
    {
        $this->store->put('n', 10, 60);
        $children = [];
        for ($i = 0; $i < 4; ++$i) {
            $children[] = $this->elsewhere($i - 1.5, 'for ($i = 0; $i < 50; ++$i) { $store->increment("n"); } $store->touch("n", 30);');
        }
        foreach ($children as $child) {
            self::assertSame([0, ''], Processes::finish($child));
        }
        self::assertSame(210, $this->store->get('n'));
    }

    public function testACounterThatWouldOverflowStaysAsItIs(): void
    {
        foreach ([fn () => $this->store->forever('n', PHP_INT_MAX), fn () => $this->store->put('n', PHP_INT_MAX, 60)] as $set) {
            $set();
            try {
                $this->store->increment('n');
                self::fail('no exception');
            } catch (\TagCache\ServerException $e) {
                self::assertStringContainsString('overflow', $e->getMessage());
            }
            self::assertSame(PHP_INT_MAX, $this->store->get('n'));
        }
    }

    public function testForeverEndsTheDeadlineOfACounter(): void
    {
        $this->store->put('n', 1, 1);
        $this->store->forever('n', 5);
        $this->store->increment('n');
        usleep(1_100_000);
        self::assertSame(6, $this->store->get('n'));
    }

    public function testTouch(): void
    {
        self::assertFalse($this->store->touch('none', 60));
        self::assertNull($this->store->get('none'));
        $this->store->put('longer', 'v', 1);
        $this->store->put('n', 7, 1);
        $this->store->put('shorter', 'v', 60);
        self::assertTrue($this->store->touch('longer', 60));
        self::assertTrue($this->store->touch('n', 60));
        self::assertTrue($this->store->touch('shorter', 1));
        $this->store->increment('n');
        usleep(1_100_000);
        self::assertSame('v', $this->store->get('longer'));
        self::assertSame(8, $this->store->get('n'));
        self::assertNull($this->store->get('shorter'));
    }

    public function testFlushRemovesItsOwnPrefixOnly(): void
    {
        $client = Server::handle();
        $other = new Store($client, $this->prefix . 'x');
        $none = new Store($client, '');
        $client->set("$this->prefix-raw", 1, [], 60_000);
        $key = 'k' . bin2hex(random_bytes(4));
        foreach ([$this->store, $other, $none] as $n => $store) {
            $store->put($key, $n, 60);
        }
        self::assertTrue($this->store->flush());
        self::assertNull($this->store->get($key));
        self::assertSame(1, $other->get($key));
        self::assertSame(2, $none->get($key));
        $none->flush();
        self::assertSame(1, $other->get($key));
        $other->flush();
        self::assertTrue($client->delete("$this->prefix-raw"));
    }

    public function testKeysOfAllKinds(): void
    {
        $keys = ['a:b', 'a b', 'a,b', "nul\0", "line\n", 'ü', "\xff", '{x}/@', '0'];
        foreach ($keys as $n => $key) {
            $this->store->put($key, "v$n", 60);
        }
        foreach ($keys as $n => $key) {
            self::assertSame("v$n", $this->store->get($key));
            self::assertTrue($this->store->forget($key));
        }
    }

    public function testPrefix(): void
    {
        self::assertSame("$this->prefix/laravel:", $this->store->getPrefix());
        $this->store->put('key', 'v', 60);
        self::assertSame('v', $this->store->client()->get($this->store->getPrefix() . 'key'));
    }

    public function testWithoutAServerItThrows(): void
    {
        $this->expectException(\TagCache\ConnectionException::class);
        (new Store(Server::absent()))->get('key');
    }

    public function testRepository(): void
    {
        $cache = new Repository($this->store);
        $calls = 0;
        $make = static function () use (&$calls) {
            return ++$calls;
        };
        self::assertSame(1, $cache->remember('r', 60, $make));
        self::assertSame(1, $cache->remember('r', 60, $make));
        self::assertSame('d', $cache->get('none', 'd'));
        self::assertTrue($cache->put('p', 1, new \DateTimeImmutable('+1 minute')));
        self::assertSame(1, $cache->pull('p'));
        self::assertFalse($cache->has('p'));
        self::assertTrue($cache->setMultiple(['x' => 1, 'y' => 2], 60));
        self::assertSame(['x' => 1, 'z' => 'd'], $cache->getMultiple(['x', 'z'], 'd'));
        self::assertTrue($cache->deleteMultiple(['x', 'y']));
        self::assertSame(['a' => null], $cache->many(['a']));
        self::assertTrue($cache->add('once', 1, 60));
        self::assertFalse($cache->add('once', 1, 60));
        self::assertTrue($cache->supportsTags());
        $cache['array'] = 'access';
        self::assertTrue(isset($cache['array']));
        self::assertTrue($cache->put('gone', 1, 60));
        $cache->put('gone', 1, -1);
        self::assertFalse($cache->has('gone'));
        self::assertTrue($cache->clear());
        self::assertNull($cache['array']);
        self::assertSame('v', (clone $cache)->sear('f', static fn () => 'v'));
    }
}
