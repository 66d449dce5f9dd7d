<?php

declare(strict_types=1);

namespace TagCache\Support;

use TagCache;

/**
 * Where an adapter keeps its entries: below a prefix that no other kind of adapter has.
 *
 * For the namespace "app" PSR-6 has the room "app/psr6:", in which the entry "user.42" is the key
 * "app/psr6:user.42", and its tag "users" is "app/psr6:users". Locks are beside it, so that clearing
 * the room leaves them alone.
 */
final class Room
{
    /** A namespace that is the name of a room, for those who want to share one. */
    private const WHOLE = '~^[A-Za-z0-9_.%-]*/[a-z0-9]+:$~D';

    /** The longest bulk that is sent in one piece. */
    private const MOST = 1_000;

    /** The handle as it was given. */
    public readonly TagCache $client;

    /** The handle to the room: what is stored by it lies in it, and its flush() clears it. */
    public readonly TagCache $handle;

    /** The prefix of the room, for $client. */
    public readonly string $prefix;

    /** Whether the handle lets only some classes be unserialized; null = not asked yet. */
    private ?bool $filtersClasses = null;

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings alone; no connection is opened
     * @param string $namespace of the application; or the name of a room, such as "app/psr6:"
     * @param string $kind the kind of the adapter
     * @throws \TagCache\InvalidArgumentException if an option is wrong
     */
    public function __construct(TagCache|array|string|null $client, string $namespace, string $kind)
    {
        $this->client = $client instanceof TagCache ? $client : new TagCache($client);
        $this->prefix = preg_match(self::WHOLE, $namespace) === 1
            ? $namespace
            : self::percent('/[^A-Za-z0-9_.-]/', $namespace) . "/$kind:";
        $this->handle = $this->client->withPrefix($this->prefix);
    }

    /**
     * A key or tag as the server can hold it. Printable ASCII but "%" and "," stays as it is, and no
     * two names become one.
     */
    public static function encode(string $name): string
    {
        return self::percent('/[^\x21-\x24\x26-\x2b\x2d-\x7e]/', $name);
    }

    /**
     * @param iterable<string> $tags
     * @return list<string>
     */
    public static function tags(iterable $tags): array
    {
        $names = [];
        foreach ($tags as $tag) {
            $names[] = self::encode((string) $tag);
        }

        return array_values(array_unique($names));
    }

    /**
     * Stores items of which each has its own tags and time to live, a thousand in one exchange.
     *
     * @param array<string, array{value: mixed, tags: string[], ttl_ms: int|null}> $items as for mSetItems()
     * @throws \TagCache\Exception
     */
    public function store(array $items): void
    {
        foreach (array_chunk($items, self::MOST, true) as $some) {
            $this->handle->mSetItems($some);
        }
    }

    /** Whether only some classes may be made of what is read: the option `unserialize_allowed_classes`. */
    public function filtersClasses(): bool
    {
        return $this->filtersClasses ??= ($this->handle->__debugInfo()['unserialize_allowed_classes'] ?? '') !== 'all';
    }

    /** A lock beside the room. It does not carry the tag of the room, see Mutex. */
    public function lock(string $name, ?string $owner = null): Mutex
    {
        $key = substr($this->prefix, 0, -1) . '.lock:' . self::percent('/[^A-Za-z0-9_.-]/', $name);

        return new Mutex($this->client, $key, $owner);
    }

    private static function percent(string $pattern, string $name): string
    {
        return preg_replace_callback(
            $pattern,
            static fn (array $byte): string => sprintf('%%%02X', ord($byte[0])),
            $name,
        );
    }
}
