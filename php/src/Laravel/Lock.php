<?php

declare(strict_types=1);

namespace TagCache\Laravel;

use Illuminate\Cache\Lock as IlluminateLock;
use TagCache\Support\Mutex;
use TagCache\Support\Room;
use TagCache\Support\Ttl;

/**
 * A lock of Laravel. Releasing is one atomic command, so a lock that has expired and belongs to
 * somebody else by now is never taken from them.
 */
final class Lock extends IlluminateLock
{
    private readonly Mutex $mutex;

    /**
     * @internal
     * @param int $seconds when it frees itself; 0 = never
     * @param string|null $owner null = a new one
     */
    public function __construct(
        Room $room,
        string $name,
        int $seconds,
        ?string $owner = null,
    ) {
        parent::__construct($name, $seconds, $owner);
        $this->mutex = $room->lock($name, $this->owner);
    }

    /** @return bool */
    public function acquire()
    {
        return $this->mutex->acquire(self::milliseconds($this->seconds));
    }

    /**
     * Holds the lock for longer, if it is still held: since Laravel 12.
     *
     * @param int|null $seconds from now on; 0 = until it is released; null = as at first
     * @return bool whether it is held
     */
    public function refresh($seconds = null)
    {
        return $this->mutex->refresh(self::milliseconds((int) ($seconds ?? $this->seconds)));
    }

    /** @return bool */
    public function release()
    {
        return $this->mutex->release();
    }

    /** @return void */
    public function forceRelease()
    {
        $this->mutex->forceRelease();
    }

    /** @return string|null */
    protected function getCurrentOwner()
    {
        return $this->mutex->holder();
    }

    private static function milliseconds(int $seconds): ?int
    {
        return $seconds > 0 ? Ttl::fromSeconds($seconds) : null;
    }
}
