<?php

declare(strict_types=1);

namespace TagCache\Psr6;

use Psr\Cache\CacheItemInterface;
use Psr\Cache\CacheItemPoolInterface;
use TagCache;
use TagCache\Support\Connector;
use TagCache\Support\FailureReporter;
use TagCache\Support\Keyspace;
use TagCache\Support\PsrName;
use TagCache\Support\Reader;

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

    private readonly TagCache $client;
    private readonly Keyspace $names;
    private readonly FailureReporter $failures;

    /** @var array<string|int, Item> */
    private array $deferred = [];

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $namespace pools with the same one share items; clear() removes only these
     * @param int|null $defaultTtl seconds, for items without an expiration; null = no limit
     * @param (callable(\Exception, string): void)|null $onError null = PHP's error log
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(
        TagCache|array|string|null $client = null,
        string $namespace = 'psr6',
        private readonly ?int $defaultTtl = null,
        ?callable $onError = null,
    ) {
        $this->client = Connector::handle($client);
        $this->names = new Keyspace($namespace);
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

        return $this->item($key, $this->failures->guard('getItem', fn () => $this->client->get($name), null));
    }

    /** @return array<string|int, Item> */
    public function getItems(array $keys = []): array
    {
        $names = [];
        foreach ($keys as $key) {
            $names[$key] = $this->name($key);
        }
        $asked = array_values(array_diff_key($names, $this->deferred));
        $found = $asked === [] ? [] : $this->read($asked);
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

        return $this->failures->guard('hasItem', fn () => $this->client->has($name), false);
    }

    public function clear(): bool
    {
        $this->deferred = [];

        return $this->invalidate('clear', [$this->names->all()]);
    }

    public function deleteItem($key): bool
    {
        return $this->deleteItems([$key]);
    }

    public function deleteItems(array $keys): bool
    {
        $names = array_map($this->name(...), array_values($keys));
        foreach ($keys as $key) {
            unset($this->deferred[$key]);
        }

        return $this->failures->guard('deleteItems', function () use ($names) {
            $this->client->mDelete($names);

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
        $names = [];
        foreach ($tags as $tag) {
            $fault = PsrName::fault($tag, 'tag');
            if ($fault !== null) {
                throw new InvalidArgumentException($fault);
            }
            $names[] = $this->names->tag($tag);
        }
        $this->deferred = array_filter(
            $this->deferred,
            static fn (Item $item) => array_intersect($item->newTags(), $tags) === [],
        );

        return $this->invalidate('invalidateTags', $names);
    }

    /**
     * Writes items, those with the same tags and time to live in one exchange.
     *
     * @param iterable<Item> $items
     */
    private function write(iterable $items): bool
    {
        $gone = [];
        $groups = [];
        foreach ($items as $item) {
            $name = $this->names->key($item->getKey());
            $ttl = $item->ttlMs() ?? ($this->defaultTtl === null ? null : 1000 * $this->defaultTtl);
            if ($ttl !== null && $ttl <= 0) {
                $gone[] = $name;
                continue;
            }
            $tags = $this->names->tags($item->newTags());
            $group = implode(',', [$ttl, ...$tags]);
            $groups[$group] ??= [[], $ttl, $tags];
            // Tags are kept beside the value: the server does not tell those of a key.
            $groups[$group][0][$name] = [$item->get(), $item->newTags()];
        }
        $ok = true;
        if ($gone !== []) {
            $ok = $this->failures->guard('save', fn () => $this->client->mDelete($gone) >= 0, false);
        }
        foreach ($groups as [$values, $ttl, $tags]) {
            $ok = $this->store($values, $ttl, $tags) && $ok;
        }

        return $ok;
    }

    /**
     * @param array<string, array{mixed, list<string>}> $values
     * @param list<string> $tags
     */
    private function store(array $values, ?int $ttl, array $tags): bool
    {
        $all = fn () => $this->client->mSet($values, $ttl, $tags) === count($values);
        if (count($values) === 1) {
            return $this->failures->guard('save', $all, false);
        }
        try {
            return $all();
        } catch (\TagCache\ConnectionException $e) {
            return $this->failures->guard('save', static fn () => throw $e, false);
        } catch (\Exception) {
            // One of them cannot be serialized; that must not keep the others from being saved.
            $ok = true;
            foreach ($values as $name => $value) {
                $ok = $this->store([$name => $value], $ttl, $tags) && $ok;
            }

            return $ok;
        }
    }

    /** @param list<string> $tags */
    private function invalidate(string $operation, array $tags): bool
    {
        return $this->failures->guard($operation, function () use ($tags) {
            $this->client->invalidateTags($tags);

            return true;
        }, false);
    }

    /**
     * @param list<string> $names
     * @return array<string, mixed>
     */
    private function read(array $names): array
    {
        return $this->failures->guard('getItems', fn () => Reader::many(
            $this->client,
            $names,
            fn (\Exception $e) => $this->failures->report($e, 'getItems'),
        ), []);
    }

    private function name(mixed $key): string
    {
        $fault = PsrName::fault($key, 'key');
        if ($fault !== null) {
            throw new InvalidArgumentException($fault);
        }

        return $this->names->key($key);
    }

    /** @param mixed $stored what write() stored; anything else is a miss */
    private function item(string $key, mixed $stored): Item
    {
        $class = static::ITEM;
        if (is_array($stored) && count($stored) === 2 && is_array($stored[1] ?? null)) {
            return new $class($key, $stored[0] ?? null, true, $stored[1]);
        }

        return new $class($key, null, false, []);
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
