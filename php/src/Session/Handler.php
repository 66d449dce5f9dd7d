<?php

declare(strict_types=1);

namespace TagCache\Session;

use SessionHandlerInterface;
use SessionIdInterface;
use SessionUpdateTimestampHandlerInterface;
use TagCache;
use TagCache\Support\Mutex;
use TagCache\Support\Room;
use TagCache\Support\Ttl;

/**
 * PHP sessions on a TagCache server.
 *
 *     session_set_save_handler(new TagCache\Session\Handler('tagcache://127.0.0.1:1984'), true);
 *
 * A session is locked from session_start() until it is closed, so two requests of one visitor
 * never overwrite each other's changes. If the lock was lost meanwhile (it ran out), the session is
 * written only if it still is what was read, and so is always one that was not changed: it has to be
 * stored again to live on. Whoever stores or removes a session without having had it locked all the
 * time, locks it for that moment.
 *
 * What fails raises E_USER_WARNING and makes the session function return false.
 */
final class Handler implements SessionHandlerInterface, SessionUpdateTimestampHandlerInterface, SessionIdInterface
{
    /** How long a request without a lock waits for that of another when it ends. */
    private const BRIEFLY_MS = 100;
    /** How long a lock lasts that is taken to look and store: if the process dies just then. */
    private const MOMENT_MS = 10_000;

    /** @var \WeakMap<self, true>|null the handlers that there are, once the end of the request is seen to */
    private static ?\WeakMap $handlers = null;

    private readonly Room $room;
    private readonly TagCache $client;

    /** The lock of the session that is open, and its id. */
    private ?Mutex $lock = null;
    private ?string $locked = null;

    /** The session that was read, and what it was; null = there was none, which PHP takes for an empty one. */
    private ?string $read = null;
    private ?string $found = null;

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $namespace handlers with the same one share sessions. Its room is "$namespace/session:"
     * @param int|null $ttl seconds that a session lives unused; null = session.gc_maxlifetime
     * @param bool $locking false: of the requests that change a session, the last one that ends wins
     * @param int $lockWaitMs how long session_start() waits for the lock before it fails
     * @param int $lockTtlMs when a lock frees itself whose process died; better longer than any request
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(
        TagCache|array|string|null $client = null,
        string $namespace = 'app',
        private readonly ?int $ttl = null,
        private readonly bool $locking = true,
        private readonly int $lockWaitMs = 10_000,
        private readonly int $lockTtlMs = 60_000,
    ) {
        $this->room = new Room($client, $namespace, 'session');
        $this->client = $this->room->handle;
        if (self::$handlers === null) {
            self::$handlers = new \WeakMap();
            register_shutdown_function(static function (): void {
                foreach (self::$handlers as $handler => $true) {
                    $handler->abandon();
                }
            });
        }
        self::$handlers[$this] = true;
    }

    public function __destruct()
    {
        $this->abandon();
    }

    public function open(string $path, string $name): bool
    {
        return true;
    }

    public function create_sid(): string
    {
        return session_create_id();
    }

    /** Whether there is such a session: session.use_strict_mode asks. */
    public function validateId(string $id): bool
    {
        return $this->guard('look for', false, fn () => $this->client->has(Room::encode($id)));
    }

    public function read(string $id): string|false
    {
        return $this->guard('read', false, function () use ($id) {
            if ($this->locking && !$this->take($id, $this->lockTtlMs, $this->lockWaitMs)) {
                return $this->fail("it is locked by another request for longer than $this->lockWaitMs ms");
            }

            $data = $this->client->get(Room::encode($id));
            if ($data !== null && !is_string($data)) {
                return $this->fail('what is stored there is no session');
            }
            [$this->read, $this->found] = [$id, $data];

            return (string) $data;
        });
    }

    public function write(string $id, string $data): bool
    {
        return $this->guard('write', false, fn () => $this->store($id, $data));
    }

    /** Called instead of write() when nothing has changed: the session begins to age anew. */
    public function updateTimestamp(string $id, string $data): bool
    {
        return $this->write($id, $data);
    }

    public function destroy(string $id): bool
    {
        return $this->guard('destroy', false, function () use ($id) {
            try {
                // Nobody must be about to store what he has just found to be still the same.
                $this->holds($id) || $this->take($id, self::MOMENT_MS, self::BRIEFLY_MS);
                $this->client->delete(Room::encode($id));
                $this->read = null;
            } finally {
                $this->locking || $this->drop();
            }

            return true;
        });
    }

    public function close(): bool
    {
        return $this->guard('unlock', false, function () {
            $this->drop();

            return true;
        });
    }

    /** Nothing to do: sessions expire in the server. */
    public function gc(int $max_lifetime): int|false
    {
        return 0;
    }

    private function store(string $id, string $data): bool
    {
        $unchanged = $this->read === $id && $data === (string) $this->found;
        // A change without locks is stored whatever is there, and whoever has it locked.
        $blindly = !$unchanged && !$this->locking;
        try {
            $throughout = $this->holds($id);
            $alone = $throughout
                || $this->take($id, self::MOMENT_MS, self::BRIEFLY_MS)
                || $this->locking && !$this->isReplaced($id) && $this->take($id, self::MOMENT_MS, $this->lockWaitMs);
            if (!$blindly && ($unchanged || !$throughout) && $this->isReplaced($id)) {
                return $unchanged || $this->fail("its lock was lost, and another request has changed it since; "
                    . "is $this->lockTtlMs ms too short for this request?");
            }
            if (!$blindly && !$alone) {
                return $unchanged || $this->fail("its lock was lost, and another request has had it since for "
                    . "$this->lockWaitMs ms; is $this->lockTtlMs ms too short for this request?");
            }
            $this->client->set(
                Room::encode($id),
                $data,
                ttl_ms: Ttl::fromSeconds(max(1, $this->ttl ?? (int) ini_get('session.gc_maxlifetime'))),
            );
            $this->read = null;

            return true;
        } finally {
            $this->locking || $this->drop();
        }
    }

    /** Whether something else stands there than what was read. */
    private function isReplaced(string $id): bool
    {
        return $this->read === $id && $this->client->get(Room::encode($id)) !== $this->found;
    }

    /** Takes the lock for $ttlMs from now, waiting up to $waitMs for whoever has it. */
    private function take(string $id, int $ttlMs, int $waitMs): bool
    {
        if ($this->locked === $id && $this->lock->refresh($ttlMs)) {
            return true;
        }
        $this->drop();
        $lock = $this->room->lock($id);
        if (!$lock->acquireWithin($waitMs, $ttlMs)) {
            return false;
        }
        $this->lock = $lock;
        $this->locked = $id;

        return true;
    }

    /** Whether the lock is still this handler's: the server is asked, as it may have run out. */
    private function holds(string $id): bool
    {
        return $this->locked === $id && $this->lock->isHeld();
    }

    /**
     * Gives the lock back when the handler goes or the request ends, if PHP has not done so: it does not
     * close a session whose reading ended in an error. One that is open it writes and closes later.
     */
    private function abandon(): void
    {
        if (session_status() !== PHP_SESSION_ACTIVE) {
            $this->close();
        }
    }

    private function drop(): void
    {
        $lock = $this->lock;
        $this->lock = $this->locked = null;
        $lock?->release();
    }

    /**
     * @template T
     * @param T $otherwise
     * @param callable(): T $operation
     * @return T
     */
    private function guard(string $verb, mixed $otherwise, callable $operation): mixed
    {
        try {
            return $operation();
        } catch (\TagCache\Exception | \RuntimeException $e) {
            trigger_error("tagcache: cannot $verb the session: " . $e->getMessage(), E_USER_WARNING);

            return $otherwise;
        }
    }

    private function fail(string $why): never
    {
        throw new \RuntimeException($why);
    }
}
