<?php

declare(strict_types=1);

namespace TagCache\Laravel;

use Illuminate\Cache\TaggableStore;
use Illuminate\Cache\TaggedCache;
use Illuminate\Contracts\Cache\LockProvider;
use TagCache;
use TagCache\Support\Entry;
use TagCache\Support\FailureReporter;
use TagCache\Support\Reader;
use TagCache\Support\Room;
use TagCache\Support\Ttl;

/**
 * A cache store for Laravel whose tags are the server's own.
 *
 * Failures of the server throw TagCache\Exception, as Laravel's other stores throw theirs. An entry
 * that cannot be read any more is not there, and $onError hears of it.
 *
 * Integers (and digits) with a time to live have a companion entry that says when they end: the server starts
 * the clock of a counter anew at each increment, and a rate limiter built on that would count
 * for ever.
 */
final class Store extends TaggableStore implements LockProvider
{
    private readonly Room $room;
    private readonly TagCache $client;
    private readonly Reader $reader;

    /** @var list<string> the tags of the server with which this store writes */
    private array $tags = [];

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $prefix stores with the same one share entries; flush() removes only these. Its
     *     room is "$prefix/laravel:"; with the name of another room it shares that one
     * @param (callable(\Exception, string): void)|null $onError gets the failure and the operation;
     *     null = PHP's error log
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(
        TagCache|array|string|null $client = null,
        string $prefix = 'app',
        ?callable $onError = null,
    ) {
        $this->room = new Room($client, $prefix, 'laravel');
        $this->client = $this->room->handle;
        $failures = new FailureReporter($onError);
        $this->reader = new Reader($this->room, static fn (\Exception $e) => $failures->report($e, 'get'));
    }

    /** @return mixed null if there is none */
    public function get($key)
    {
        return $this->reader->one(Room::encode((string) $key))?->value;
    }

    /** @return array<string, mixed> by key, null where there is none */
    public function many(array $keys)
    {
        $names = [];
        foreach ($keys as $key) {
            $names[$key] = Room::encode((string) $key);
        }
        $found = $this->reader->many(array_values($names));

        return array_map(static fn (string $name) => ($found[$name] ?? null)?->value, $names);
    }

    /** @return bool true */
    public function put($key, $value, $seconds)
    {
        return $this->putMany([$key => $value], $seconds);
    }

    /** @return bool true */
    public function putMany(array $values, $seconds)
    {
        $ttl = self::milliseconds($seconds);
        $this->client->mSet($this->withDeadlines($values, $ttl), $ttl, $this->tags);

        return true;
    }

    /**
     * Stores a value unless the key exists, atomically in the server.
     *
     * @param string $key
     * @param mixed $value
     * @param int|float $seconds
     * @return bool whether it was stored
     */
    public function add($key, $value, $seconds)
    {
        $ttl = self::milliseconds($seconds);
        if (!$this->client->add(Room::encode((string) $key), (new Entry($value))->stored(), $this->tags, $ttl)) {
            return false;
        }
        if (self::isCounter($value)) {
            $this->client->set(self::companion((string) $key), self::deadline($ttl), $this->tags, $ttl);
        }

        return true;
    }

    /** @return int|false the new value; false if what is stored is no integer, nor the digits of one */
    public function increment($key, $value = 1)
    {
        $key = (string) $key;
        try {
            return $this->count($key, (int) $value);
        } catch (\TagCache\ServerException) {
            if (!$this->makeInteger($key)) {
                return false;
            }
        }

        return $this->count($key, (int) $value);
    }

    /** @return int|false as increment() */
    public function decrement($key, $value = 1)
    {
        return $this->increment($key, -(int) $value);
    }

    /** @return bool true */
    public function forever($key, $value)
    {
        if (self::isCounter($value)) {
            $this->client->delete(self::companion((string) $key));
        }

        return $this->client->set(Room::encode((string) $key), (new Entry($value))->stored(), $this->tags);
    }

    /**
     * Gives an entry a new time to live.
     *
     * The server has no command for it, so the value is read and written again: what somebody
     * else writes in between is lost. Integers are safe from that.
     *
     * @param string $key
     * @param int|float $seconds
     * @return bool whether there is such an entry
     */
    public function touch($key, $seconds)
    {
        $value = $this->get($key);
        if ($value === null) {
            return false;
        }
        if (!is_int($value)) {
            return $this->put($key, $value, $seconds);
        }
        $ttl = self::milliseconds($seconds);
        $this->client->set(self::companion((string) $key), self::deadline($ttl), $this->tags, $ttl);
        $this->client->increment(Room::encode((string) $key), 0, $ttl, $this->tags);

        return true;
    }

    /** @return bool whether it existed */
    public function forget($key)
    {
        $key = (string) $key;

        return $this->client->mDelete([Room::encode($key), self::companion($key)]) > 0;
    }

    /**
     * Removes what was stored with this prefix, and nothing else. Locks stay.
     *
     * @return bool true
     */
    public function flush()
    {
        $this->client->flush();

        return true;
    }

    /** @return string */
    public function getPrefix()
    {
        return $this->room->prefix;
    }

    /**
     * @param array|mixed $names
     * @return TaggedCache
     */
    public function tags($names)
    {
        $names = array_map(self::tagName(...), array_values(is_array($names) ? $names : func_get_args()));
        $tagged = clone $this;
        $tagged->tags = Room::tags($names);

        return new TaggedCache($tagged, new TagSet($tagged, $names));
    }

    /**
     * Removes every entry that carries any of the tags.
     *
     * @param string[] $names
     * @return int how many entries went, companions of counters included
     */
    public function invalidateTags(array $names): int
    {
        return $this->client->invalidateTags(Room::tags($names));
    }

    /** @return Lock */
    public function lock($name, $seconds = 0, $owner = null)
    {
        return new Lock($this->room, (string) $name, (int) $seconds, $owner);
    }

    /** @return Lock */
    public function restoreLock($name, $owner)
    {
        return $this->lock($name, 0, $owner);
    }

    /** The handle behind it, for what Laravel has no method for; getPrefix() goes before its keys and tags. */
    public function client(): TagCache
    {
        return $this->room->client;
    }

    private function count(string $key, int $by): int
    {
        return $this->client->increment(Room::encode($key), $by, $this->timeLeft($key), $this->tags);
    }

    /**
     * Turns digits that were stored as a string, as a database or a form gives them, into the
     * integer that the server can count with.
     *
     * @return bool whether it is one now
     */
    private function makeInteger(string $key): bool
    {
        $lock = $this->room->lock("integer:$key");
        if (!$lock->acquireWithin(1_000, 2_000)) {
            return false;
        }
        try {
            $value = $this->get($key);
            if (is_string($value) && self::isCounter($value)) {
                $value = (int) $value;
                $this->client->set(Room::encode($key), $value, $this->tags, $this->timeLeft($key));
            }

            return is_int($value);
        } finally {
            $lock->release();
        }
    }

    /** What is left of the time of a counter, in milliseconds; null if it has no limit. */
    private function timeLeft(string $key): ?int
    {
        $deadline = $this->client->get(self::companion($key));

        return is_int($deadline) ? max(1, $deadline - self::now()) : null;
    }

    /** Whether increment() can count with it, and so needs to know when it ends. */
    private static function isCounter(mixed $value): bool
    {
        return is_int($value) || (is_string($value) && (string) (int) $value === $value);
    }

    /**
     * @param array<string, mixed> $values by key
     * @return array<string, mixed> by the server's key
     */
    private function withDeadlines(array $values, int $ttl): array
    {
        $items = [];
        foreach ($values as $key => $value) {
            $items[Room::encode((string) $key)] = (new Entry($value))->stored();
            if (self::isCounter($value)) {
                $items[self::companion((string) $key)] = self::deadline($ttl);
            }
        }

        return $items;
    }

    /** At least one second: what Laravel's Redis store does with less. */
    private static function milliseconds(mixed $seconds): int
    {
        return Ttl::fromSeconds(max(1, is_numeric($seconds) ? $seconds + 0 : 1));
    }

    /** The key of what is kept beside a counter; no key is encoded so. */
    private static function companion(string $key): string
    {
        return Room::encode($key) . '%until';
    }

    private static function deadline(int $ttl): int
    {
        return self::now() + $ttl;
    }

    private static function now(): int
    {
        return (int) (1000 * microtime(true));
    }

    private static function tagName(mixed $name): string
    {
        return (string) match (true) {
            $name instanceof \BackedEnum => $name->value,
            $name instanceof \UnitEnum => $name->name,
            default => $name,
        };
    }
}
