<?php

declare(strict_types=1);

namespace TagCache\Support;

use TagCache;

/**
 * A lock across processes and machines.
 *
 * Held by an entry that only one can add. The entry carries one tag that names lock and owner,
 * and releasing invalidates that tag: one atomic command that does nothing if the lock has
 * expired and belongs to somebody else by now. It carries no other tag, as the index of another
 * tag could outlive the entry.
 */
final class Mutex
{
    private const FIRST_PAUSE_US = 1_000;
    private const LONGEST_PAUSE_US = 50_000;

    /** The longest wait, 30 years: its nanoseconds can be added to the clock. */
    private const LONGEST_WAIT_MS = 1_000_000_000_000;

    public readonly string $owner;
    private readonly string $tag;

    /**
     * @param string $key of the entry; without an exclamation mark, so that no two locks share a tag
     * @param string|null $owner null = a new one
     */
    public function __construct(
        private readonly TagCache $client,
        private readonly string $key,
        ?string $owner = null,
    ) {
        $this->owner = $owner ?? bin2hex(random_bytes(16));
        $this->tag = $this->key . '!' . Room::encode($this->owner);
    }

    /**
     * Takes the lock if it is free. The same owner cannot take it twice.
     *
     * @param int|null $ttlMs when it frees itself; null = never
     * @throws \TagCache\Exception
     */
    public function acquire(?int $ttlMs): bool
    {
        try {
            return $this->client->add($this->key, $this->owner, [$this->tag], $ttlMs);
        } catch (\TagCache\ConnectionException $e) {
            $this->abandon();
            throw $e;
        }
    }

    /**
     * Takes the lock, waiting up to $waitMs for it to become free.
     *
     * @throws \TagCache\Exception
     */
    public function acquireWithin(int $waitMs, ?int $ttlMs): bool
    {
        $deadline = hrtime(true) + min($waitMs, self::LONGEST_WAIT_MS) * 1_000_000;
        $pause = self::FIRST_PAUSE_US;
        while (!$this->acquire($ttlMs)) {
            $left = intdiv($deadline - hrtime(true), 1000);
            if ($left <= 0) {
                return false;
            }
            // Half of the pause is left to chance, so that waiters do not come in step.
            usleep(max(1, min($left, random_int(intdiv($pause, 2), $pause))));
            $pause = min(2 * $pause, self::LONGEST_PAUSE_US);
        }

        return true;
    }

    /**
     * Holds the lock for longer, if this owner still has it.
     *
     * It is given back and taken anew in one exchange, as the server can do nothing to an entry
     * on the condition of whose it is. Somebody who asks for it just between the two gets it; then
     * this says false, and never have two had it.
     *
     * @param int|null $ttlMs when it frees itself, from now; null = never
     * @return bool whether this owner holds it now
     * @throws \TagCache\Exception whether it is held is not known then
     */
    public function refresh(?int $ttlMs): bool
    {
        [$held, $taken] = $this->client->pipeline()
            ->invalidateTag($this->tag)
            ->add($this->key, $this->owner, [$this->tag], $ttlMs)
            ->execute();
        foreach ([$held, $taken] as $result) {
            if ($result instanceof \Throwable) {
                throw $result;
            }
        }
        if ($held === 0 && $taken) {
            // It was free, and to refresh is not to acquire.
            $this->release();
        }

        return $held > 0 && $taken;
    }

    /**
     * Frees the lock if this owner holds it.
     *
     * @return bool whether it did
     * @throws \TagCache\Exception
     */
    public function release(): bool
    {
        return $this->client->invalidateTag($this->tag) > 0;
    }

    /**
     * Frees the lock whoever holds it.
     *
     * @throws \TagCache\Exception
     */
    public function forceRelease(): void
    {
        $this->client->delete($this->key);
    }

    /**
     * Who holds the lock; null if it is free.
     *
     * @throws \TagCache\Exception
     */
    public function holder(): ?string
    {
        return $this->client->get($this->key);
    }

    /**
     * Whether this owner holds the lock just now.
     *
     * @throws \TagCache\Exception
     */
    public function isHeld(): bool
    {
        return $this->holder() === $this->owner;
    }

    /** After an error nobody knows whether the lock was taken; without this it might stay. */
    private function abandon(): void
    {
        try {
            $this->release();
        } catch (\TagCache\Exception) {
            // The server is away; the caller gets the first error, the lock its time to live.
        }
    }
}
