<?php

declare(strict_types=1);

namespace TagCache\Tests\Laravel;

use Illuminate\Contracts\Cache\LockTimeoutException;
use PHPUnit\Framework\TestCase;
use TagCache\Laravel\Store;
use TagCache\Tests\Server;

/** Cache::lock() of Laravel. */
final class LockTest extends TestCase
{
    private Store $store;

    protected function setUp(): void
    {
        $this->store = new Store(Server::handle(), Server::freshNamespace());
    }

    public function testOneHoldsIt(): void
    {
        $lock = $this->store->lock('l', 10);
        self::assertTrue($lock->get());
        self::assertFalse($this->store->lock('l', 10)->get());
        self::assertFalse($this->store->lock('l', 10)->release(), 'not the owner');
        self::assertTrue($this->store->lock('other', 1)->get(static fn () => true));
        self::assertTrue($lock->release());
        self::assertFalse($lock->release());
        self::assertTrue($this->store->lock('l', 10)->get(static fn () => true));
        self::assertTrue($this->store->lock('l', 10)->get(static fn () => true), 'released after the callback');
    }

    public function testTheCallbackMayThrow(): void
    {
        try {
            $this->store->lock('l', 10)->get(static fn () => throw new \DomainException());
        } catch (\DomainException) {
        }
        self::assertTrue($this->store->lock('l', 10)->get(static fn () => true));
    }

    public function testOwners(): void
    {
        $lock = $this->store->lock('l', 10);
        $lock->get();
        $owner = $lock->owner();
        self::assertNotSame('', $owner);
        self::assertFalse($this->store->restoreLock('l', 'somebody')->release());
        self::assertTrue($this->store->restoreLock('l', $owner)->release());
        self::assertTrue($this->store->lock('l', 10, 'a,b c')->get());
        self::assertTrue($this->store->restoreLock('l', 'a,b c')->release());
    }

    public function testForceRelease(): void
    {
        $lock = $this->store->lock('l');
        self::assertTrue($lock->get(), 'without a time to live');
        $this->store->lock('l')->forceRelease();
        $next = $this->store->lock('l', 10);
        self::assertTrue($next->get());
        self::assertFalse($lock->release());
        self::assertTrue($next->release());
    }

    public function testAnOwnerThatExpiredReleasesNothing(): void
    {
        $lock = $this->store->lock('l', 1);
        self::assertTrue($lock->get());
        usleep(1_100_000);
        $next = $this->store->lock('l', 10);
        self::assertTrue($next->get());
        self::assertFalse($lock->release());
        self::assertFalse($this->store->lock('l', 10)->get());
        self::assertTrue($next->release());
    }

    public function testRefreshing(): void
    {
        $lock = $this->store->lock('l', 1);
        self::assertFalse($lock->refresh(), 'not held');
        self::assertTrue($lock->get());
        self::assertTrue($lock->refresh(10));
        self::assertFalse($this->store->restoreLock('l', 'somebody')->refresh(10));
        usleep(1_100_000);
        self::assertFalse($this->store->lock('l', 10)->get(), 'it lasts longer than at first');
        self::assertTrue($lock->refresh(), 'for a second again');
        usleep(1_100_000);
        self::assertTrue($this->store->lock('l', 10)->get(static fn () => true));
        $lock = $this->store->lock('l');
        self::assertTrue($lock->get());
        self::assertTrue($lock->refresh(), 'without a time to live');
        self::assertTrue($lock->refresh(0));
        self::assertTrue($lock->release());
    }

    public function testBlocking(): void
    {
        $this->store->lock('l', 1)->get();
        $lock = $this->store->lock('l', 10)->betweenBlockedAttemptsSleepFor(50);
        self::assertSame('done', $lock->block(3, static fn () => 'done'));
        $this->store->lock('l', 10)->get();
        $this->expectException(LockTimeoutException::class);
        try {
            $lock->block(1);
        } finally {
            $lock->forceRelease();
        }
    }

    public function testLocksAndEntriesDoNotMeet(): void
    {
        $lock = $this->store->lock('name', 10);
        self::assertTrue($lock->get());
        self::assertNull($this->store->get('name'));
        $this->store->put('name', 'v', 60);
        $this->store->forget('name');
        $this->store->flush();
        self::assertFalse($this->store->lock('name', 10)->get(), 'flush() leaves locks alone');
        self::assertTrue($lock->release());
    }

    public function testATaggedRepositoryGivesLocksToo(): void
    {
        $lock = $this->store->tags('t')->lock('l', 10);
        self::assertTrue($lock->get());
        self::assertFalse($this->store->lock('l', 10)->get());
        self::assertTrue($lock->release());
    }
}
