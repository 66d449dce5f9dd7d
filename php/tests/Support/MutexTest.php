<?php

declare(strict_types=1);

namespace TagCache\Tests\Support;

use PHPUnit\Framework\TestCase;
use TagCache\Support\Mutex;
use TagCache\Support\Room;
use TagCache\Tests\Server;

final class MutexTest extends TestCase
{
    private Room $room;

    protected function setUp(): void
    {
        $this->room = new Room(Server::handle(), Server::freshNamespace(), 'test');
    }

    private function mutex(string $name = 'lock', ?string $owner = null): Mutex
    {
        return $this->room->lock($name, $owner);
    }

    public function testOnlyOneHoldsIt(): void
    {
        [$a, $b] = [$this->mutex(), $this->mutex()];
        self::assertTrue($a->acquire(5_000));
        self::assertFalse($b->acquire(5_000));
        self::assertFalse($a->acquire(5_000), 'not even the owner takes it twice');
        self::assertTrue($a->isHeld());
        self::assertFalse($b->isHeld());
        self::assertSame($a->owner, $b->holder());
        self::assertFalse($b->release());
        self::assertTrue($a->release());
        self::assertFalse($a->release());
        self::assertNull($a->holder());
        self::assertTrue($b->acquire(5_000));
        $b->release();
    }

    public function testAnOwnerThatExpiredTakesNothingFromTheNext(): void
    {
        [$a, $b] = [$this->mutex(), $this->mutex()];
        self::assertTrue($a->acquire(30));
        usleep(60_000);
        self::assertNull($a->holder());
        self::assertTrue($b->acquire(5_000));
        self::assertFalse($a->release());
        self::assertTrue($b->isHeld());
        $b->release();
    }

    public function testAForcedReleaseLeavesNothingBehind(): void
    {
        [$a, $b] = [$this->mutex(), $this->mutex()];
        self::assertTrue($a->acquire(null));
        $b->forceRelease();
        self::assertTrue($b->acquire(5_000));
        self::assertFalse($a->release());
        self::assertTrue($b->isHeld());
        $b->release();
    }

    public function testRefreshing(): void
    {
        [$a, $b] = [$this->mutex(), $this->mutex()];
        self::assertFalse($a->refresh(5_000), 'nobody has it');
        self::assertNull($a->holder(), 'and nobody has it afterwards');
        $a->acquire(80);
        usleep(50_000);
        self::assertTrue($a->refresh(5_000));
        usleep(50_000);
        self::assertTrue($a->isHeld(), 'longer than at first');
        self::assertFalse($b->refresh(5_000), 'not the owner');
        self::assertFalse($b->acquire(5_000));
        self::assertTrue($a->isHeld(), 'which changes nothing');
        self::assertTrue($a->refresh(null), 'for ever');
        self::assertTrue($a->release());
        self::assertFalse($a->refresh(5_000));
        $a->acquire(20);
        usleep(40_000);
        self::assertTrue($b->acquire(5_000));
        self::assertFalse($a->refresh(5_000), 'an owner that has expired');
        self::assertTrue($b->isHeld());
        $b->release();
    }

    public function testLocksOfOtherNamesAndOwnersAreOthers(): void
    {
        $a = $this->mutex('a!b', 'c');
        $b = $this->mutex('a', 'b!c');
        self::assertTrue($a->acquire(5_000));
        self::assertTrue($b->acquire(5_000));
        self::assertTrue($a->release());
        self::assertTrue($b->isHeld());
        $b->release();
    }

    public function testWaiting(): void
    {
        [$a, $b] = [$this->mutex(), $this->mutex()];
        $a->acquire(150);
        $began = hrtime(true);
        self::assertFalse($b->acquireWithin(50, 5_000));
        $waited = (hrtime(true) - $began) / 1e6;
        self::assertGreaterThan(45, $waited);
        self::assertLessThan(140, $waited);
        self::assertTrue($b->acquireWithin(2_000, 5_000), 'the first owner expires meanwhile');
        $b->release();
    }

    public function testManyProcessesCountWithoutLoss(): void
    {
        $client = $this->room->handle;
        $client->set('n', 0, [], 60_000);
        $code = <<<'PHP'
            require $argv[1];
            $room = new TagCache\Support\Room(TagCache\Tests\Server::handle(), $argv[2], '');
            $client = $room->handle;
            for ($i = 0; $i < 25; ++$i) {
                $lock = $room->lock('counter');
                $lock->acquireWithin(20_000, 10_000) || exit(1);
                $n = $client->get('n');
                usleep(random_int(0, 300));
                $client->set('n', $n + 1, [], 60_000);
                $lock->release() || exit(2);
            }
            PHP;
        $children = [];
        for ($i = 0; $i < 4; ++$i) {
            $children[] = Processes::start($code, [dirname(__DIR__) . '/bootstrap.php', $this->room->prefix]);
        }
        foreach ($children as $child) {
            self::assertSame([0, ''], Processes::finish($child));
        }
        self::assertSame(100, $client->get('n'));
    }

    public function testAServerThatIsAwayThrows(): void
    {
        $this->expectException(\TagCache\ConnectionException::class);
        (new Mutex(Server::absent(), 'lock'))->acquire(1_000);
    }

    public function testRefreshingAtAServerThatIsAwayThrows(): void
    {
        $this->expectException(\TagCache\ConnectionException::class);
        (new Mutex(Server::absent(), 'lock'))->refresh(1_000);
    }
}
