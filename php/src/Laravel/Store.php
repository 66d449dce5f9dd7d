<?php

declare(strict_types=1);

namespace TagCache\Laravel;

use Illuminate\Cache\TaggableStore;
use Illuminate\Cache\TaggedCache;
use Illuminate\Contracts\Cache\LockProvider;
use TagCache;
use TagCache\Support\Connector;
use TagCache\Support\Keyspace;
use TagCache\Support\Mutex;
use TagCache\Support\Ttl;

/**
 * A cache store for Laravel whose tags are the server's own.
 *
 * Failures of the server throw TagCache\Exception, as Laravel's other stores throw theirs.
 *
 * Integers (and digits) with a time to live have a companion entry that says when they end: the server starts
 * the clock of a counter anew at each increment, and a rate limiter built on that would count
 * for ever.
 */
final class Store extends TaggableStore implements LockProvider
{
    private readonly TagCache $client;
    private readonly Keyspace $names;

    /** @var list<string> the tags of the server with which this store writes */
    private array $tags;

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $prefix stores with the same one share entries; flush() removes only these
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(TagCache|array|string|null $client = null, string $prefix = 'laravel')
    {
        $this->client = Connector::handle($client);
        $this->names = new Keyspace($prefix);
        $this->tags = $this->names->tags([]);
    }

    /** @return mixed null if there is none */
    public function get($key)
    {
        return $this->client->get($this->names->key((string) $key));
    }

    /** @return array<string, mixed> by key, null where there is none */
    public function many(array $keys)
    {
        $names = [];
        foreach ($keys as $key) {
            $names[$key] = $this->names->key((string) $key);
        }
        $found = $this->client->mGet(array_values($names));

        return array_map(static fn (string $name) => $found[$name] ?? null, $names);
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
        if (!$this->client->add($this->names->key((string) $key), $value, $this->tags, $ttl)) {
            return false;
        }
        if (self::isCounter($value)) {
            $this->client->set($this->names->companion((string) $key), self::deadline($ttl), $this->tags, $ttl);
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
            $this->client->delete($this->names->companion((string) $key));
        }

        return $this->client->set($this->names->key((string) $key), $value, $this->tags);
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
        $this->client->set($this->names->companion((string) $key), self::deadline($ttl), $this->tags, $ttl);
        $this->client->increment($this->names->key((string) $key), 0, $ttl, $this->tags);

        return true;
    }

    /** @return bool whether it existed */
    public function forget($key)
    {
        $key = (string) $key;

        return $this->client->mDelete([$this->names->key($key), $this->names->companion($key)]) > 0;
    }

    /**
     * Removes what was stored with this prefix, and nothing else. Locks stay.
     *
     * @return bool true
     */
    public function flush()
    {
        $this->client->invalidateTag($this->names->all());

        return true;
    }

    /** @return string */
    public function getPrefix()
    {
        return $this->names->key('');
    }

    /**
     * @param array|mixed $names
     * @return TaggedCache
     */
    public function tags($names)
    {
        $names = array_map(self::tagName(...), array_values(is_array($names) ? $names : func_get_args()));
        $tagged = clone $this;
        $tagged->tags = $this->names->tags($names);

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
        return $this->client->invalidateTags(array_map($this->names->tag(...), array_values($names)));
    }

    /** @return Lock */
    public function lock($name, $seconds = 0, $owner = null)
    {
        return new Lock($this->client, $this->names, (string) $name, (int) $seconds, $owner);
    }

    /** @return Lock */
    public function restoreLock($name, $owner)
    {
        return $this->lock($name, 0, $owner);
    }

    /** The handle behind it, for what Laravel has no method for. */
    public function client(): TagCache
    {
        return $this->client;
    }

    private function count(string $key, int $by): int
    {
        return $this->client->increment($this->names->key($key), $by, $this->timeLeft($key), $this->tags);
    }

    /**
     * Turns digits that were stored as a string, as a database or a form gives them, into the
     * integer that the server can count with.
     *
     * @return bool whether it is one now
     */
    private function makeInteger(string $key): bool
    {
        $lock = new Mutex($this->client, $this->names, "integer:$key");
        if (!$lock->acquireWithin(1_000, 2_000)) {
            return false;
        }
        try {
            $value = $this->get($key);
            if (is_string($value) && self::isCounter($value)) {
                $value = (int) $value;
                $this->client->set($this->names->key($key), $value, $this->tags, $this->timeLeft($key));
            }

            return is_int($value);
        } finally {
            $lock->release();
        }
    }

    /** What is left of the time of a counter, in milliseconds; null if it has no limit. */
    private function timeLeft(string $key): ?int
    {
        $deadline = $this->client->get($this->names->companion($key));

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
            $items[$this->names->key((string) $key)] = $value;
            if (self::isCounter($value)) {
                $items[$this->names->companion((string) $key)] = self::deadline($ttl);
            }
        }

        return $items;
    }

    /** At least one second: what Laravel's Redis store does with less. */
    private static function milliseconds(mixed $seconds): int
    {
        return Ttl::fromSeconds(max(1, is_numeric($seconds) ? $seconds + 0 : 1));
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
