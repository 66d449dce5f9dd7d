<?php

declare(strict_types=1);

namespace TagCache\Tests\Session;

use PHPUnit\Framework\TestCase;
use TagCache\Session\Handler;
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
