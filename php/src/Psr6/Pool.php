<?php

declare(strict_types=1);

namespace TagCache\Psr6;

use Psr\Cache\CacheItemInterface;
use Psr\Cache\CacheItemPoolInterface;
use TagCache;
use TagCache\Support\Entry;
use TagCache\Support\FailureReporter;
use TagCache\Support\PsrName;
use TagCache\Support\Reader;
use TagCache\Support\Room;
use TagCache\Support\Ttl;

/**
 * PSR-6 with tags on a TagCache server.
 *
 *     $pool = new TagCache\Psr6\Pool('tagcache://127.0.0.1:1984', 'my-app');
 *     $pool->save($pool->getItem('user.42')->set($user)->setTags(['users']));
 *     $pool->invalidateTags(['users']);
 *
 * When the server is away, reads are misses and writes return false; $onError hears of it.
 * Deferred items are written by commit(), or when the pool goes out of scope. The signatures
 * fit versions 1, 2 and 3 of psr/cache.
 */
class Pool implements CacheItemPoolInterface
{
    /** The class of the items. */
    protected const ITEM = Item::class;

    private readonly Room $room;
    private readonly FailureReporter $failures;

    /** @var array<string|int, Item> */
    private array $deferred = [];

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $namespace pools with the same one share items; clear() removes only these. Its
     *     room is "$namespace/psr6:"; with the name of another room it shares that one
     * @param int|null $defaultTtl seconds, for items without an expiration; null = no limit
     * @param (callable(\Exception, string): void)|null $onError null = PHP's error log
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(
        TagCache|array|string|null $client = null,
        string $namespace = 'app',
        private readonly ?int $defaultTtl = null,
        ?callable $onError = null,
    ) {
        $this->room = new Room($client, $namespace, 'psr6');
        $this->failures = new FailureReporter($onError);
    }

    public function __destruct()
    {
        $this->commit();
    }

    public function getItem($key): Item
    {
        $name = $this->name($key);
        if (isset($this->deferred[$key])) {
            return $this->fromDeferred($this->deferred[$key]);
        }

        return $this->item($key, $this->failures->guard('getItem', fn () => $this->reader('getItem')->one($name), null));
    }

    /** @return array<string|int, Item> */
    public function getItems(array $keys = []): array
    {
        $names = [];
        foreach ($keys as $place => $key) {
            $names[$key] = $this->name($key, $place);
        }
        $asked = array_values(array_diff_key($names, $this->deferred));
        $found = $this->failures->guard('getItems', fn () => $this->reader('getItems')->many($asked), []);
        $items = [];
        foreach ($names as $key => $name) {
            $items[$key] = isset($this->deferred[$key])
                ? $this->fromDeferred($this->deferred[$key])
                : $this->item((string) $key, $found[$name] ?? null);
        }

        return $items;
    }

    public function hasItem($key): bool
    {
        $name = $this->name($key);
        if (isset($this->deferred[$key])) {
            return $this->deferred[$key]->ttlMs() !== 0;
        }

        return $this->failures->guard('hasItem', fn () => $this->room->handle->has($name), false);
    }

    public function clear(): bool
    {
        $this->deferred = [];

        return $this->failures->guard('clear', fn () => $this->room->handle->flush() >= 0, false);
    }

    public function deleteItem($key): bool
    {
        return $this->deleteItems([$key]);
    }

    public function deleteItems(array $keys): bool
    {
        $names = array_map($this->name(...), $keys, array_keys($keys));
        foreach ($keys as $key) {
            unset($this->deferred[$key]);
        }

        return $this->failures->guard('deleteItems', function () use ($names) {
            $this->room->handle->mDelete($names);

            return true;
        }, false);
    }

    public function save(CacheItemInterface $item): bool
    {
        if (!$item instanceof Item) {
            return false;
        }
        unset($this->deferred[$item->getKey()]);

        return $this->write([$item]);
    }

    public function saveDeferred(CacheItemInterface $item): bool
    {
        if (!$item instanceof Item) {
            return false;
        }
        $this->deferred[$item->getKey()] = clone $item;

        return true;
    }

    public function commit(): bool
    {
        $items = $this->deferred;
        $this->deferred = [];

        return $this->write($items);
    }

    /**
     * Removes every item that carries the tag.
     *
     * @param string $tag
     * @throws InvalidArgumentException
     */
    public function invalidateTag($tag): bool
    {
        return $this->invalidateTags([$tag]);
    }

    /**
     * Removes every item that carries any of the tags.
     *
     * @param string[] $tags
     * @throws InvalidArgumentException
     */
    public function invalidateTags(array $tags): bool
    {
        foreach ($tags as $place => $tag) {
            $fault = PsrName::faultAt($place, $tag, 'tag');
            if ($fault !== null) {
                throw new InvalidArgumentException($fault);
            }
        }
        $this->deferred = array_filter(
            $this->deferred,
            static fn (Item $item) => array_intersect($item->newTags(), $tags) === [],
        );

        return $this->failures->guard('invalidateTags', function () use ($tags) {
            $this->room->handle->invalidateTags(Room::tags($tags));

            return true;
        }, false);
    }

    /**
     * Writes items, each with its own tags and time to live.
     *
     * @param iterable<Item> $items
     */
    private function write(iterable $items): bool
    {
        $gone = [];
        $kept = [];
        foreach ($items as $item) {
            $name = Room::encode($item->getKey());
            $ttl = $item->ttlMs() ?? ($this->defaultTtl === null ? null : Ttl::fromSeconds($this->defaultTtl));
            if ($ttl === 0) {
                $gone[] = $name;
                continue;
            }
            // Tags are kept beside the value, too: the server does not tell those of a key.
            $kept[$name] = [
                'value' => (new Entry($item->get(), $item->newTags()))->stored(),
                'tags' => Room::tags($item->newTags()),
                'ttl_ms' => $ttl,
            ];
        }
        $ok = $gone === []
            || $this->failures->guard('save', fn () => $this->room->handle->mDelete($gone) >= 0, false);

        return ($kept === [] || $this->store($kept)) && $ok;
    }

    /** @param array<string, array{value: mixed, tags: list<string>, ttl_ms: int|null}> $items */
    private function store(array $items): bool
    {
        try {
            $this->room->store($items);

            return true;
        } catch (\Exception $e) {
            if (count($items) === 1 || $e instanceof \TagCache\ConnectionException) {
                $this->failures->report($e, 'save');

                return false;
            }
        }
        // One of them cannot be stored; that must not keep the others from it.
        $half = intdiv(count($items), 2);
        $ok = $this->store(array_slice($items, 0, $half, true));

        return $this->store(array_slice($items, $half, null, true)) && $ok;
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

    private function item(string $key, ?Entry $entry): Item
    {
        $class = static::ITEM;

        return new $class($key, $entry?->value, $entry !== null, $entry?->tags ?? []);
    }

    private function fromDeferred(Item $item): Item
    {
        $class = static::ITEM;
        if ($item->ttlMs() === 0) {
            return new $class($item->getKey(), null, false, []);
        }

        return new $class($item->getKey(), $item->get(), true, $item->newTags());
    }
}
