<?php

declare(strict_types=1);

namespace TagCache\Support;

/**
 * Names of one namespace on the server, so that several caches share it without meeting.
 *
 * For the namespace "app" the entry "user.42" is the key "app/user.42", its tag "users" is
 * "app#users", and every entry carries the tag "app*", by which the namespace is cleared.
 * Bytes that a key or tag may not hold, and those that would make two names equal, are
 * percent-encoded.
 */
final class Keyspace
{
    private readonly string $prefix;

    /**
     * @param string ...$parts the namespace; ['symfony', 'app'] is "symfony:app"
     */
    public function __construct(string ...$parts)
    {
        $this->prefix = implode(':', array_map(self::encodePart(...), $parts));
    }

    /** The key of an entry. */
    public function key(string $key): string
    {
        return $this->prefix . '/' . self::encode($key);
    }

    /** The key of what an adapter keeps beside an entry. */
    public function companion(string $key): string
    {
        return $this->prefix . '~' . self::encode($key);
    }

    /** The key of a lock, in a room of its own: clearing the namespace leaves locks alone. */
    public function lock(string $name): string
    {
        return $this->prefix . '!' . self::encodePart($name);
    }

    /** A tag that users gave to an entry. */
    public function tag(string $tag): string
    {
        return $this->prefix . '#' . self::encode($tag);
    }

    /** The tag of all entries of the namespace. */
    public function all(): string
    {
        return $this->prefix . '*';
    }

    /**
     * All tags of an entry, as they are written with it.
     *
     * @param iterable<string> $tags
     * @return list<string>
     */
    public function tags(iterable $tags): array
    {
        $names = [$this->all()];
        foreach ($tags as $tag) {
            $names[] = $this->tag((string) $tag);
        }

        return array_values(array_unique($names));
    }

    /** Leaves printable ASCII but "%" and "," as it is, so no two names become one. */
    public static function encode(string $name): string
    {
        return self::percent('/[^\x21-\x24\x26-\x2b\x2d-\x7e]/', $name);
    }

    /** Leaves only what cannot be taken for a separator. */
    private static function encodePart(string $part): string
    {
        return self::percent('/[^A-Za-z0-9_.-]/', $part);
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
