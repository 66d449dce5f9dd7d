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
 * never overwrite each other's changes. If the lock was lost meanwhile (it ran out), nothing is
 * written. What fails raises E_USER_WARNING and makes the session function return false.
 */
final class Handler implements SessionHandlerInterface, SessionUpdateTimestampHandlerInterface, SessionIdInterface
{
    private readonly Room $room;
    private readonly TagCache $client;

    /** The lock of the session that is open, and its id. */
    private ?Mutex $lock = null;
    private ?string $locked = null;

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $namespace handlers with the same one share sessions. Its room is "$namespace/session:"
     * @param int|null $ttl seconds that a session lives unused; null = session.gc_maxlifetime
     * @param bool $locking false: the last request that ends wins
     * @param int $lockWaitMs how long session_start() waits for the lock before it fails
     * @param int $lockTtlMs when a lock frees itself whose process died; longer than any request
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
            if ($this->locking && !$this->take($id)) {
                return $this->fail("it is locked by another request for longer than $this->lockWaitMs ms");
            }

            $data = $this->client->get(Room::encode($id), '');

            return is_string($data) ? $data : $this->fail('what is stored there is no session');
        });
    }

    public function write(string $id, string $data): bool
    {
        return $this->guard('write', false, function () use ($id, $data) {
            if ($this->locking && !$this->holds($id)) {
                return $this->fail("its lock was lost; is $this->lockTtlMs ms too short for this request?");
            }

            return $this->client->set(
                Room::encode($id),
                $data,
                ttl_ms: Ttl::fromSeconds(max(1, $this->ttl ?? (int) ini_get('session.gc_maxlifetime'))),
            );
        });
    }

    /** Called instead of write() when nothing has changed: the session begins to age anew. */
    public function updateTimestamp(string $id, string $data): bool
    {
        return $this->write($id, $data);
    }

    public function destroy(string $id): bool
    {
        return $this->guard('destroy', false, function () use ($id) {
            $this->client->delete(Room::encode($id));

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

    private function take(string $id): bool
    {
        if ($this->locked === $id) {
            return true;
        }
        $this->drop();
        $lock = $this->room->lock($id);
        if (!$lock->acquireWithin($this->lockWaitMs, $this->lockTtlMs)) {
            return false;
        }
        $this->lock = $lock;
        $this->locked = $id;

        return true;
    }

    private function holds(string $id): bool
    {
        return $this->locked === $id ? $this->lock->isHeld() : $this->take($id);
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
