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
 * The server starts the clock of a counter anew at each increment, and a rate limiter built on that
 * would count for ever. So integers (and digits) with a time to live are a *window*: an entry that nobody
 * writes to before the server ends it, with a number beside the value that no other window has. What is
 * counted meanwhile is in a second entry, named after that number: it means nothing when the window is
 * over or another stands in its place. No clock but the server's is asked.
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
        $key = (string) $key;

        return $this->many([$key])[$key];
    }

    /** @return array<string, mixed> by key, null where there is none */
    public function many(array $keys)
    {
        $names = [];
        foreach (self::listed($keys, 'keys') as $key) {
            $names[$key] = Room::encode((string) $key);
        }
        $found = $this->reader->many(array_values($names));
        $counts = array_filter(array_map(self::counts(...), array_keys($found), $found));
        $counted = $counts === [] ? [] : $this->client->mGet(array_values($counts));

        return array_map(static function (string $name) use ($found, $counted): mixed {
            $entry = $found[$name] ?? null;

            return $entry === null ? null : $counted[(string) self::counts($name, $entry)] ?? $entry->value;
        }, $names);
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
        $items = [];
        foreach ($values as $key => $value) {
            $items[Room::encode((string) $key)] = self::entry($value, $ttl)->stored();
        }
        $this->client->mSet($items, $ttl, $this->tags);

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

        return $this->client->add(Room::encode((string) $key), self::entry($value, $ttl)->stored(), $this->tags, $ttl);
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
        return $this->client->set(Room::encode((string) $key), (new Entry($value))->stored(), $this->tags);
    }

    /**
     * Gives an entry a new time to live.
     *
     * The server has no command for it, so the value is read and written again: what somebody
     * else writes in between is lost. What is counted in a window is safe from that.
     *
     * @param string $key
     * @param int|float $seconds
     * @return bool whether there is such an entry
     */
    public function touch($key, $seconds)
    {
        $name = Room::encode((string) $key);
        $entry = $this->reader->one($name);
        if ($entry === null || $entry->value === null) {
            return false;
        }
        $counts = self::counts($name, $entry);
        if ($counts === null) {
            return $this->put($key, $entry->value, $seconds);
        }
        $ttl = self::milliseconds($seconds);
        $this->client->set($name, self::entry($entry->value, $ttl, self::number($entry))->stored(), $this->tags, $ttl);
        $this->countIn($counts, 0, $entry, $ttl);

        return true;
    }

    /** @return bool whether it existed */
    public function forget($key)
    {
        return $this->client->delete(Room::encode((string) $key));
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
        $names = array_map(self::tagName(...), self::listed(is_array($names) ? $names : func_get_args(), 'tags'));
        $tagged = clone $this;
        $tagged->tags = Room::tags($names);

        return new TaggedCache($tagged, new TagSet($tagged, $names));
    }

    /**
     * Removes every entry that carries any of the tags.
     *
     * @param string[] $names
     * @return int how many entries went, those with the counts of windows included
     */
    public function invalidateTags(array $names): int
    {
        return $this->client->invalidateTags(Room::tags(self::listed($names, 'tags')));
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
        $name = Room::encode($key);
        $entry = $this->reader->one($name);
        $counts = $entry === null ? null : self::counts($name, $entry);

        return $counts === null
            ? $this->client->increment($name, $by, tags: $this->tags)
            : $this->countIn($counts, $by, $entry, unpack('J', $entry->meta)[1]);
    }

    /** Counts in the window $window, which lasts for $ttl: so the counts outlive it, whenever that was. */
    private function countIn(string $counts, int $by, Entry $window, int $ttl): int
    {
        $results = $this->client->pipeline()
            ->add($counts, (int) $window->value, $this->tags, $ttl)
            ->increment($counts, $by, $ttl, $this->tags)
            ->execute();
        foreach ($results as $result) {
            if ($result instanceof \Throwable) {
                throw $result;
            }
        }

        return $results[1];
    }

    /**
     * Turns digits that were stored as a string, as a database or a form gives them, into the
     * integer that the server can count with. In a window they can stay as they are.
     *
     * @return bool whether it can be counted with now
     */
    private function makeInteger(string $key): bool
    {
        $lock = $this->room->lock("integer:$key");
        if (!$lock->acquireWithin(1_000, 2_000)) {
            return false;
        }
        try {
            $entry = $this->reader->one(Room::encode($key));
            if ($entry === null || !self::isCounter($entry->value)) {
                return false;
            }
            if (is_string($entry->value) && $entry->meta === '') {
                $this->client->set(Room::encode($key), (int) $entry->value, $this->tags);
            }

            // What another adapter keeps beside a value, in a room that is shared, is no window.
            return $entry->meta === '' || self::counts($key, $entry) !== null;
        } finally {
            $lock->release();
        }
    }

    /** Whether increment() can count with it. */
    private static function isCounter(mixed $value): bool
    {
        return is_int($value) || (is_string($value) && (string) (int) $value === $value);
    }

    /** A value with a time to live: one that can be counted with is a window, of the number $number or a new one. */
    private static function entry(mixed $value, int $ttl, ?string $number = null): Entry
    {
        return new Entry($value, meta: self::isCounter($value) ? pack('J', $ttl) . ($number ?? random_bytes(8)) : '');
    }

    /** The number of a window. */
    private static function number(Entry $window): string
    {
        return substr($window->meta, 8);
    }

    /** The key of what was counted in a window, null if the entry is none; no key is encoded so. */
    private static function counts(string $name, Entry $entry): ?string
    {
        return strlen($entry->meta) === 16 ? "$name%in:" . bin2hex(self::number($entry)) : null;
    }

    /** At least one second: what Laravel's Redis store does with less. */
    private static function milliseconds(mixed $seconds): int
    {
        return Ttl::fromSeconds(max(1, is_numeric($seconds) ? $seconds + 0 : 1));
    }

    /**
     * @return list<mixed>
     * @throws \TagCache\InvalidArgumentException for names in place of numbers, which were meant to say something
     */
    private static function listed(array $list, string $what): array
    {
        foreach (array_filter(array_keys($list), 'is_string') as $name) {
            throw new \TagCache\InvalidArgumentException("The $what must be a list, it has the key \"$name\".");
        }

        return array_values($list);
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
