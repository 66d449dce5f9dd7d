<?php

declare(strict_types=1);

namespace TagCache\Support;

/**
 * Reads entries of a room. One that cannot be read as it was stored (its class is gone or has
 * changed, a hook throws, its bytes are damaged) is reported and is not there, as after a release
 * the cache still holds what the code before it has stored.
 */
final class Reader
{
    /** @param \Closure(\Exception, string): void $unreadable gets the failure and the key */
    public function __construct(private readonly Room $room, private readonly \Closure $unreadable)
    {
    }

    /**
     * @return Entry|null null if there is none that can be read
     * @throws \TagCache\Exception what keeps the server from answering
     */
    public function one(string $key): ?Entry
    {
        try {
            // This object stands for a miss: nobody can have stored it.
            $stored = self::strictly(fn () => $this->room->handle->get($key, $this));

            return $stored === $this ? null : $this->entry($stored);
        } catch (\Throwable $e) {
            $this->report($e, $key);

            return null;
        }
    }

    /**
     * @param list<string> $keys
     * @return array<string, Entry> those that are there and can be read, by key
     * @throws \TagCache\Exception what keeps the server from answering
     */
    public function many(array $keys): array
    {
        if (count($keys) < 2) {
            $entry = $keys === [] ? null : $this->one($keys[0]);

            return $entry === null ? [] : [$keys[0] => $entry];
        }
        try {
            $found = self::strictly(fn () => $this->room->handle->mGet($keys));
        } catch (\Throwable $e) {
            self::passOn($e);
            // Which one it is, only asking again can tell: what fails may be code of the user.
            $half = intdiv(count($keys), 2);

            return $this->many(array_slice($keys, 0, $half)) + $this->many(array_slice($keys, $half));
        }
        $entries = [];
        foreach ($found as $key => $stored) {
            try {
                $entries[$key] = $this->entry($stored);
            } catch (\TagCache\SerializationException $e) {
                $this->report($e, (string) $key);
            }
        }

        return $entries;
    }

    /**
     * What PHP calls for a class that is not there, instead of making an incomplete object.
     *
     * @internal
     * @throws \TagCache\SerializationException
     */
    public static function missing(string $class): never
    {
        throw new \TagCache\SerializationException("There is no class $class any more.");
    }

    private static function strictly(\Closure $read): mixed
    {
        $before = ini_set('unserialize_callback_func', self::class . '::missing');
        try {
            return $read();
        } finally {
            ini_set('unserialize_callback_func', (string) $before);
        }
    }

    /** @throws \TagCache\SerializationException */
    private function entry(mixed $stored): Entry
    {
        $entry = Entry::of($stored);
        if (is_scalar($stored) || $stored === null) {
            return $entry;
        }
        // For a class that exists but is not allowed, PHP does not call missing().
        if ($this->room->filtersClasses() && self::isIncomplete($entry->value)) {
            throw new \TagCache\SerializationException('It holds an object of a class that may not be unserialized.');
        }

        return $entry;
    }

    /** Whether an object in it is of a class that PHP did not make. */
    private static function isIncomplete(mixed $value): bool
    {
        $seen = [];
        $left = [$value];
        while ($left !== []) {
            $next = array_pop($left);
            if ($next instanceof \__PHP_Incomplete_Class) {
                return true;
            }
            if (is_object($next)) {
                $id = spl_object_id($next);
                if (isset($seen[$id]) || $next instanceof \UnitEnum) {
                    continue;
                }
                $seen[$id] = true;
                // The two of PHP's collections that show nothing as an array.
                $next = $next instanceof \SplObjectStorage || $next instanceof \SplDoublyLinkedList
                    ? $next->__serialize()
                    : (array) $next;
            }
            foreach (is_array($next) ? $next : [] as $key => $element) {
                if (is_array($element)) {
                    // An array can only hold itself by a reference.
                    $id = \ReflectionReference::fromArrayElement($next, $key)?->getId();
                    if ($id !== null && isset($seen[$id])) {
                        continue;
                    }
                    $seen += $id === null ? [] : [$id => true];
                }
                if (is_array($element) || is_object($element)) {
                    $left[] = $element;
                }
            }
        }

        return false;
    }

    /** Throws what says nothing of the value. */
    private static function passOn(\Throwable $e): void
    {
        if ($e instanceof \TagCache\Exception && !$e instanceof \TagCache\SerializationException) {
            throw $e;
        }
    }

    private function report(\Throwable $e, string $key): void
    {
        self::passOn($e);
        if (!$e instanceof \Exception) {
            $e = new \TagCache\SerializationException($e::class . ': ' . $e->getMessage(), 0, $e);
        }
        ($this->unreadable)($e, $key);
    }
}
