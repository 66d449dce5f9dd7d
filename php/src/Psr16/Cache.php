<?php

declare(strict_types=1);

namespace TagCache\Psr16;

use Psr\SimpleCache\CacheInterface;
use TagCache;
use TagCache\Support\Entry;
use TagCache\Support\FailureReporter;
use TagCache\Support\PsrName;
use TagCache\Support\Reader;
use TagCache\Support\Room;
use TagCache\Support\Ttl;

/**
 * PSR-16 on a TagCache server.
 *
 *     $cache = new TagCache\Psr16\Cache('tagcache://127.0.0.1:1984', 'my-app');
 *
 * When the server is away, reads are misses and writes return false; $onError hears of it.
 * The signatures fit versions 1, 2 and 3 of psr/simple-cache.
 */
final class Cache implements CacheInterface
{
    private readonly Room $room;
    private readonly FailureReporter $failures;

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $namespace caches with the same one share entries; clear() removes only these. Its
     *     room is "$namespace/psr16:"; with the name of another room it shares that one
     * @param int|null $defaultTtl seconds, for entries that are set without; null = no limit
     * @param (callable(\Exception, string): void)|null $onError null = PHP's error log
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(
        TagCache|array|string|null $client = null,
        string $namespace = 'app',
        private readonly ?int $defaultTtl = null,
        ?callable $onError = null,
    ) {
        $this->room = new Room($client, $namespace, 'psr16');
        $this->failures = new FailureReporter($onError);
    }

    public function get($key, $default = null): mixed
    {
        $name = $this->name($key);

        $entry = $this->failures->guard('get', fn () => $this->reader('get')->one($name), null);

        return $entry === null ? $default : $entry->value;
    }

    public function set($key, $value, $ttl = null): bool
    {
        $name = $this->name($key);
        $ms = $this->ttl($ttl);
        if ($ms === 0) {
            return $this->delete($key);
        }

        return $this->failures->guard(
            'set',
            fn () => $this->room->handle->set($name, (new Entry($value))->stored(), ttl_ms: $ms),
            false,
        );
    }

    public function delete($key): bool
    {
        return $this->deleteMultiple([$key]);
    }

    public function clear(): bool
    {
        return $this->failures->guard('clear', fn () => $this->room->handle->flush() >= 0, false);
    }

    public function getMultiple($keys, $default = null): iterable
    {
        $names = [];
        foreach ($this->each($keys, 'keys') as $place => $key) {
            $names[$key] = $this->name($key, $place);
        }
        $found = $this->failures->guard(
            'getMultiple',
            fn () => $this->reader('getMultiple')->many(array_values($names)),
            [],
        );
        $values = [];
        foreach ($names as $key => $name) {
            $values[$key] = isset($found[$name]) ? $found[$name]->value : $default;
        }

        return $values;
    }

    public function setMultiple($values, $ttl = null): bool
    {
        $items = [];
        $keys = [];
        foreach ($this->each($values, 'values') as $key => $value) {
            // PHP makes the array key "5" an integer, so here, and only here, integers are keys.
            $keys[] = $key = is_int($key) ? (string) $key : $key;
            $items[$this->name($key)] = (new Entry($value))->stored();
        }
        $ms = $this->ttl($ttl);
        if ($ms === 0) {
            return $this->deleteMultiple($keys);
        }

        return $this->failures->guard('setMultiple', function () use ($items, $ms) {
            return $this->room->handle->mSet($items, $ms) === count($items);
        }, false);
    }

    public function deleteMultiple($keys): bool
    {
        $names = [];
        foreach ($this->each($keys, 'keys') as $place => $key) {
            $names[] = $this->name($key, $place);
        }

        return $this->failures->guard('delete', function () use ($names) {
            $this->room->handle->mDelete($names);

            return true;
        }, false);
    }

    public function has($key): bool
    {
        $name = $this->name($key);

        return $this->failures->guard('has', fn () => $this->room->handle->has($name), false);
    }

    private function reader(string $operation): Reader
    {
        return new Reader($this->room, fn (\Exception $e) => $this->failures->report($e, $operation));
    }

    private function name(mixed $key, mixed $place = 0): string
    {
        $fault = PsrName::faultAt($place, $key, 'key');
        if ($fault !== null) {
            throw new InvalidArgumentException($fault);
        }

        return Room::encode($key);
    }

    private function each(mixed $list, string $what): iterable
    {
        if (!is_iterable($list)) {
            throw new InvalidArgumentException(
                sprintf('The %s must be an array or Traversable, %s given.', $what, get_debug_type($list)),
            );
        }

        return $list;
    }

    /** @return int|null milliseconds; 0 = over already; null = no limit */
    private function ttl(mixed $ttl): ?int
    {
        $ttl ??= $this->defaultTtl;

        return match (true) {
            $ttl === null => null,
            is_int($ttl) => Ttl::fromSeconds($ttl),
            $ttl instanceof \DateInterval => Ttl::fromInterval($ttl),
            default => throw new InvalidArgumentException(sprintf(
                'A time to live is an integer of seconds, a DateInterval or null, %s given.',
                get_debug_type($ttl),
            )),
        };
    }
}
