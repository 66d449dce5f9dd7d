<?php

declare(strict_types=1);

namespace TagCache\Tests\Session;

use PHPUnit\Framework\TestCase;
use TagCache\Session\Handler;
use TagCache\Support\Mutex;
use TagCache\Support\Room;
use TagCache\Tests\Server;
use TagCache\Tests\Support\Processes;

/** The session handler, called as PHP calls it; each request is a PHP of its own where it matters. */
final class HandlerTest extends TestCase
{
    private string $namespace;
    private ?string $warning = null;

    protected function setUp(): void
    {
        $this->namespace = Server::freshNamespace();
        set_error_handler(function (int $level, string $message): bool {
            $this->warning = $message;

            return true;
        }, E_USER_WARNING);
    }

    protected function tearDown(): void
    {
        restore_error_handler();
        Server::handle()->withPrefix("$this->namespace/session:")->flush();
    }

    private function handler(int $wait = 200, int $lockTtl = 5_000, bool $locking = true, ?int $ttl = null): Handler
    {
        return new Handler(Server::handle(), $this->namespace, $ttl, $locking, $wait, $lockTtl);
    }

    private function room(): Room
    {
        return new Room(Server::handle(), $this->namespace, 'session');
    }

    private function lock(string $id = 'id'): Mutex
    {
        return $this->room()->lock($id);
    }

    public function testReadAndWrite(): void
    {
        $handler = $this->handler();
        self::assertTrue($handler->open('', 'PHPSESSID'));
        self::assertSame('', $handler->read('id'));
        self::assertTrue($handler->write('id', "a|s:1:\"\xff\";"));
        self::assertTrue($handler->close());
        $next = $this->handler();
        self::assertTrue($next->validateId('id'));
        self::assertFalse($next->validateId('none'));
        self::assertSame("a|s:1:\"\xff\";", $next->read('id'));
        self::assertTrue($next->destroy('id'));
        self::assertTrue($next->close());
        self::assertFalse($next->validateId('id'));
        self::assertSame(0, $next->gc(1));
        self::assertNull($this->warning);
    }

    public function testAnotherRequestWaits(): void
    {
        [$a, $b] = [$this->handler(), $this->handler()];
        $a->read('id');
        $began = hrtime(true);
        self::assertFalse($b->read('id'));
        self::assertGreaterThan(190, (hrtime(true) - $began) / 1e6);
        self::assertStringContainsString('locked by another request', $this->warning);
        self::assertSame('', $b->read('other'), 'other sessions are free');
        $a->close();
        self::assertSame('', $b->read('id'));
        $b->close();
    }

    public function testALockThatWasLostWritesNothing(): void
    {
        [$a, $b] = [$this->handler(lockTtl: 50), $this->handler()];
        $a->read('id');
        usleep(100_000);
        self::assertSame('', $b->read('id'));
        self::assertTrue($b->write('id', 'b'));
        self::assertFalse($a->write('id', 'a'));
        self::assertStringContainsString('lock was lost', $this->warning);
        $a->close();
        self::assertTrue($b->write('id', 'still b'), 'closing took nothing from the other');
        $b->close();
        self::assertSame('still b', $this->handler()->read('id'));
    }

    public function testWithoutLockingTheLastOneWins(): void
    {
        [$a, $b] = [$this->handler(locking: false), $this->handler(locking: false)];
        $a->read('id');
        self::assertSame('', $b->read('id'));
        self::assertTrue($b->write('id', 'b'));
        self::assertTrue($a->write('id', 'a'));
        self::assertSame('a', $b->read('id'));
    }

    /** @return iterable<string, array{bool, string, string}> */
    public function unchangedSessions(): iterable
    {
        foreach ([true, false] as $locking) {
            foreach (['write', 'updateTimestamp'] as $method) {
                foreach (['delete', 'set', 'destroy', 'write'] as $change) {
                    yield "$change before $method, locking " . var_export($locking, true) => [$locking, $method, $change];
                }
            }
        }
    }

    /** @dataProvider unchangedSessions */
    public function testARequestThatOnlyReadNeverWritesItBack(bool $locking, string $method, string $change): void
    {
        [$a, $b] = [$this->handler(locking: $locking), $this->handler(locking: $locking)];
        $a->write('id', 'read');
        $a->close();
        self::assertSame('read', $a->read('id'));
        if ($locking && in_array($change, ['destroy', 'write'], true)) {
            // Another request can do so when the lock has run out only.
            $this->lock()->forceRelease();
        }
        match ($change) {
            'delete' => $this->room()->handle->delete('id'),
            'set' => $this->room()->handle->set('id', 'changed', [], 60_000),
            'destroy' => $b->read('id') . $b->destroy('id') . $b->close(),
            'write' => $b->read('id') . $b->write('id', 'changed') . $b->close(),
        };
        self::assertTrue($a->$method('id', 'read'));
        self::assertTrue($a->close());
        self::assertSame(
            in_array($change, ['delete', 'destroy'], true) ? null : 'changed',
            $this->room()->handle->get('id'),
        );
        self::assertNull($this->warning);
        self::assertNull($this->lock()->holder(), 'no lock is left');
    }

    public function testANewSessionThatStaysEmptyOverwritesNone(): void
    {
        foreach ([true, false] as $locking) {
            $handler = $this->handler(locking: $locking);
            self::assertSame('', $handler->read('id'));
            $this->room()->handle->set('id', 'a login', [], 60_000);
            self::assertTrue($handler->write('id', ''));
            self::assertSame('a login', $handler->read('id'));
            $handler->destroy('id');
            self::assertSame('', $handler->read('id'));
            self::assertTrue($handler->write('id', ''));
            self::assertTrue($handler->validateId('id'), 'an empty session is one');
            $handler->destroy('id');
            $handler->close();
        }
    }

    public function testWithoutLockingItIsLockedForTheMomentOfStoring(): void
    {
        $handler = $this->handler(locking: false);
        $mutex = $this->lock();
        foreach ([static fn () => $handler->write('id', 'changed'), static fn () => $handler->destroy('id')] as $store) {
            $handler->read('id');
            $began = hrtime(true);
            $mutex->acquire(70);
            self::assertTrue($store());
            self::assertGreaterThan(70, (hrtime(true) - $began) / 1e6, 'nobody comes between the look and what is stored');
            self::assertNull($mutex->holder());
        }
        $handler->write('id', 'data');
        $handler->read('id');
        $mutex->acquire(60_000);
        $began = hrtime(true);
        self::assertTrue($handler->updateTimestamp('id', 'data'), 'whoever has the lock renews it');
        self::assertTrue($handler->write('id', 'changed'), 'the last one that ends wins');
        self::assertTrue($handler->destroy('id'));
        self::assertLessThan(1_000, (hrtime(true) - $began) / 1e6);
        self::assertTrue($mutex->release());
        self::assertNull($this->warning);
    }

    public function testALoneRequestThatOutlastsItsLockWrites(): void
    {
        [$a, $b] = [$this->handler(lockTtl: 50), $this->handler()];
        foreach (['' => 'first', 'first' => 'second', 'second' => ''] as $before => $after) {
            self::assertSame($before, $a->read('id'));
            usleep(100_000);
            self::assertTrue($a->write('id', $after), "from '$before' to '$after'");
            $a->close();
        }
        $a->read('id');
        usleep(100_000);
        self::assertSame('', $b->read('id'), 'another reads');
        $b->close();
        self::assertTrue($a->write('id', 'third'), 'which changes nothing');
        $a->close();
        self::assertSame('third', $b->read('id'));
        self::assertNull($this->warning);
    }

    public function testOneThatOutlastsItsLockDoesNotOverwriteWhatAnotherDid(): void
    {
        [$a, $b] = [$this->handler(lockTtl: 50), $this->handler()];
        foreach ([static fn () => $b->write('id', 'b'), static fn () => $b->destroy('id')] as $change) {
            $a->read('id');
            usleep(100_000);
            $b->read('id');
            self::assertTrue($change());
            $b->close();
            $this->warning = null;
            self::assertFalse($a->write('id', 'a'));
            self::assertStringContainsString('lock was lost', $this->warning);
            $a->close();
            self::assertNotSame('a', $b->read('id'));
            $b->close();
        }
    }

    public function testALongLivedHandlerDoesNotBelieveThatItStillHasTheLock(): void
    {
        [$a, $b] = [$this->handler(lockTtl: 400), $this->handler()];
        self::assertSame('', $a->read('id'));
        // PHP had no occasion to close it; the next request of the worker is of the same visitor.
        usleep(500_000);
        self::assertSame('', $b->read('id'));
        self::assertFalse($a->read('id'), 'another request has it by now');
        self::assertStringContainsString('locked by another request', $this->warning);
        $b->close();
        self::assertSame('', $a->read('id'));
        self::assertFalse($this->handler(wait: 0)->read('id'), 'it is locked again');
        usleep(250_000);
        self::assertSame('', $a->read('id'), 'read anew');
        usleep(250_000);
        self::assertNotNull(
            $this->lock()->holder(),
            'the time of the lock begins anew, too',
        );
        $a->close();
    }

    public function testASessionAgesFromItsLastUse(): void
    {
        $handler = $this->handler(ttl: 1);
        $handler->read('id');
        $handler->write('id', 'data');
        usleep(700_000);
        self::assertTrue($handler->updateTimestamp('id', 'data'));
        usleep(700_000);
        self::assertTrue($handler->validateId('id'));
        usleep(500_000);
        self::assertFalse($handler->validateId('id'));
        $handler->close();
    }

    public function testWithoutAServerItWarns(): void
    {
        $handler = new Handler(Server::absent());
        self::assertFalse($handler->read('id'));
        self::assertStringContainsString('cannot read the session', $this->warning);
        self::assertFalse($handler->write('id', 'x'));
        self::assertFalse($handler->destroy('id'));
        self::assertTrue($handler->close());
    }

    /** @return array{int, string} */
    private function request(string $code, string $id = ''): array
    {
        return Processes::finish($this->start($code, $id));
    }

    private function start(string $code, string $id = ''): array
    {
        $prelude = <<<'PHP'
            require $argv[1];
            ini_set('session.use_cookies', '0');
            ini_set('session.use_strict_mode', '1');
            ini_set('session.gc_maxlifetime', '60');
            session_cache_limiter('');
            $handler = new TagCache\Session\Handler(TagCache\Tests\Server::handle(), $argv[2]);
            session_set_save_handler($handler, true) or exit(9);
            if ($argv[3] !== '') session_id($argv[3]);
            PHP;

        return Processes::start($prelude . $code, [dirname(__DIR__) . '/bootstrap.php', $this->namespace, $id]);
    }

    public function testASessionOfPhp(): void
    {
        [$status, $id] = $this->request('session_start(); $_SESSION["n"] = 1; $_SESSION["o"] = [true]; echo session_id();');
        self::assertSame(0, $status, $id);
        self::assertMatchesRegularExpression('/^[A-Za-z0-9,-]{22,}$/', $id);
        $code = 'session_start(); echo json_encode([$_SESSION, session_id() === $argv[3]]); $_SESSION["n"] = 2;';
        self::assertSame([0, '[{"n":1,"o":[true]},true]'], $this->request($code, $id));
        self::assertSame([0, '[{"n":2,"o":[true]},true]'], $this->request($code, $id));
        self::assertSame([0, 'gone'], $this->request('session_start(); session_destroy(); echo "gone";', $id));
        self::assertSame([0, '[[],false]'], $this->request($code, $id), 'strict mode gives a new id');
    }

    public function testReadAndCloseFreesTheLock(): void
    {
        [, $id] = $this->request('session_start(); $_SESSION["n"] = 1; echo session_id();');
        self::assertSame([0, '1'], $this->request(
            'session_start(["read_and_close" => true]); echo $_SESSION["n"];
             (new TagCache\Support\Room(TagCache\Tests\Server::handle(), $argv[2], "session"))
                 ->lock($argv[3])->acquire(50) or exit(1);',
            $id,
        ));
    }

    public function testRegenerating(): void
    {
        [, $id] = $this->request('session_start(); $_SESSION["n"] = 1; echo session_id();');
        [$status, $new] = $this->request('session_start(); session_regenerate_id(true); $_SESSION["n"]++; echo session_id();', $id);
        self::assertSame(0, $status);
        self::assertNotSame($id, $new);
        self::assertSame([0, '2'], $this->request('session_start(); echo $_SESSION["n"];', $new));
        self::assertFalse($this->handler()->validateId($id));
        [, $kept] = $this->request('session_start(); session_regenerate_id(false); echo session_id();', $new);
        self::assertTrue($this->handler()->validateId($new));
        self::assertTrue($this->handler()->validateId($kept));
    }

    public function testLazyWriteOnlyLetsItAgeAnew(): void
    {
        [, $id] = $this->request('session_start(); $_SESSION["n"] = 1; echo session_id();');
        self::assertSame([0, ''], $this->request('session_start();', $id));
        self::assertSame([0, '1'], $this->request('session_start(); echo $_SESSION["n"];', $id));
    }

    /** @return iterable<string, array{string}> */
    public function errorsWhileDecoding(): iterable
    {
        yield 'an exception' => ['throw new Exception("autoload");'];
        yield 'a syntax error' => ['eval("class {");'];
        yield 'exit' => ['exit(3);'];
        yield 'no memory' => ['str_repeat("x", 1 << 30);'];
        yield 'a fatal error' => ['eval("class Gone extends Gone {}");'];
    }

    /** @dataProvider errorsWhileDecoding */
    public function testAnErrorWhilePhpReadsTheSessionFreesTheLock(string $error): void
    {
        [, $id] = $this->request('session_start(); $_SESSION["n"] = 1; echo session_id();');
        foreach (['true', 'false'] as $registered) {
            $this->room()->handle->set($id, 'o|O:4:"Gone":0:{}', [], 60_000);
            [$status, $output] = $this->request(
                'ini_set("memory_limit", "64M");
                 spl_autoload_register(static function (string $class): void { if ($class === "Gone") { echo "read"; ' . $error . ' } });
                 session_set_save_handler($handler, ' . $registered . ');
                 session_start();',
                $id,
            );
            self::assertGreaterThan(0, $status, $output);
            self::assertStringStartsWith('read', $output);
            self::assertNull($this->lock($id)->holder(), "registered: $registered; $output");
        }
    }

    public function testAHandlerThatGoesGivesItsLockBack(): void
    {
        $handler = $this->handler();
        $handler->read('id');
        unset($handler);
        self::assertSame('', $this->handler()->read('id'));
    }

    public function testWhatPhpWritesAtTheEndIsWrittenUnderTheLock(): void
    {
        foreach (['true', 'false'] as $registered) {
            [$status, $id] = $this->request(
                'session_set_save_handler($handler, ' . $registered . ');
                 session_start();
                 final class Probe { public function __serialize(): array {
                     $room = new TagCache\Support\Room(TagCache\Tests\Server::handle(), $GLOBALS["argv"][2], "session");
                     $lock = $room->lock(session_id());
                     fwrite(STDOUT, $lock->holder() === null ? "free" : session_id());
                     return [];
                 } }
                 $_SESSION["n"] = new Probe();
                 register_shutdown_function(static function () { $_SESSION["late"] = 1; });',
            );
            self::assertSame(0, $status, $id);
            self::assertMatchesRegularExpression('/^[A-Za-z0-9,-]{22,}/', $id, "registered: $registered");
        }
    }

    public function testConcurrentRequestsLoseNothing(): void
    {
        [, $id] = $this->request('session_start(); $_SESSION["n"] = 0; echo session_id();');
        $code = 'for ($i = 0; $i < 10; ++$i) { session_start(); $_SESSION["n"]++; usleep(500); session_write_close(); }';
        $children = [];
        for ($i = 0; $i < 4; ++$i) {
            $children[] = $this->start($code, $id);
        }
        foreach ($children as $child) {
            self::assertSame([0, ''], Processes::finish($child));
        }
        self::assertSame([0, '40'], $this->request('session_start(); echo $_SESSION["n"];', $id));
    }
}
