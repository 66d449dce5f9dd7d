<?php

declare(strict_types=1);

namespace TagCache\Symfony;

use Symfony\Component\Cache\Adapter\AbstractTagAwareAdapter;
use Symfony\Component\Cache\CacheItem;
use TagCache;
use TagCache\Support\Entry;
use TagCache\Support\Reader;
use TagCache\Support\Room;
use TagCache\Support\Ttl;

/**
 * A tag-aware adapter for symfony/cache: tags are the server's own, so no tag versions are
 * read with each hit and nothing has to be pruned.
 *
 *     $cache = new TagCache\Symfony\TagCacheAdapter('tagcache://127.0.0.1:1984', 'my-app');
 *     $cache->get('user.42', fn (ItemInterface $item) => load($item->tag(['users'])));
 *
 * As every adapter of symfony/cache it logs failures and answers with a miss or false.
 */
final class TagCacheAdapter extends AbstractTagAwareAdapter
{
    /** What the parent class puts between namespace and key when versioning is on. */
    protected const NS_SEPARATOR = ':';

    /** What the parent class puts between namespace and tag: NUL up to Symfony 5, then \1. */
    private const TAG_MARK = '/[\0\1]tags[\0\1]/';

    /** What every entry carries, so that clear() with a prefix finds them. Symfony lets no tag of a user be this. */
    private const ALL = ':';

    private readonly Room $room;

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $namespace pools with the same one share items and tags. Its room is
     *     "$namespace/symfony:"; with the name of another room it shares that one
     * @param int $defaultLifetime seconds; 0 = no limit
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(
        TagCache|array|string|null $client = null,
        string $namespace = '',
        int $defaultLifetime = 0,
    ) {
        // The room is the namespace; the parent class needs none.
        parent::__construct('', $defaultLifetime);
        $this->room = new Room($client, $namespace, 'symfony');
    }

    protected function doFetch(array $ids): iterable
    {
        $names = [];
        foreach ($ids as $id) {
            $names[$id] = Room::encode((string) $id);
        }
        $found = (new Reader($this->room, $this->unreadable(...)))->many(array_values($names));
        $values = [];
        foreach ($names as $id => $name) {
            if (isset($found[$name])) {
                $values[$id] = self::isItem((string) $id) ? self::unpacked($found[$name]) : $found[$name]->value;
            }
        }

        return $values;
    }

    protected function doHave(string $id): bool
    {
        return $this->room->handle->has(Room::encode($id));
    }

    protected function doClear(string $namespace): bool
    {
        if ($namespace === '') {
            $this->room->handle->flush();

            return true;
        }
        // Only what begins with a prefix: the encoding of a prefix is a prefix of the encoding.
        $prefix = Room::encode($namespace);
        $keys = $this->room->handle->keysByTag(self::ALL);
        $this->room->handle->mDelete(array_values(array_filter(
            $keys,
            static fn (string $key) => str_starts_with($key, $prefix),
        )));

        return true;
    }

    protected function doDelete(array $ids): bool
    {
        $this->room->handle->mDelete(array_map(Room::encode(...), array_values($ids)));

        return true;
    }

    /** The values are not needed: the server forgets the tags of what it deletes. */
    protected function doDeleteYieldTags(array $ids): iterable
    {
        $this->doDelete($ids);

        return [];
    }

    /**
     * The parent class also says which tags came and went since the item was read. A write
     * replaces all tags, so the whole set is written, as it stands in the value.
     */
    protected function doSave(array $values, int $lifetime, array $addTagData = [], array $removeTagData = []): array
    {
        $ttl = $lifetime > 0 ? Ttl::fromSeconds($lifetime) : null;
        $items = [];
        foreach ($values as $id => $value) {
            $entry = self::isItem((string) $id) ? self::packed($value) : new Entry($value);
            $items[Room::encode((string) $id)] = [
                'value' => $entry->stored(),
                'tags' => [self::ALL, ...Room::tags($entry->tags)],
                'ttl_ms' => $ttl,
            ];
        }
        $this->room->store($items);

        return [];
    }

    /** Nothing to do: the server forgets the tags of what it deletes. */
    protected function doDeleteTagRelations(array $tagData): bool
    {
        return true;
    }

    protected function doInvalidate(array $tagIds): bool
    {
        $tags = [];
        foreach ($tagIds as $tagId) {
            $tags[] = Room::encode(
                preg_split(self::TAG_MARK, $tagId, 2)[1]
                    ?? throw new \LogicException("This version of symfony/cache names tags otherwise: $tagId"),
            );
        }
        $this->room->handle->invalidateTags($tags);

        return true;
    }

    /** Whether it is the id of an item, and not of the version that the parent class keeps. */
    private static function isItem(string $id): bool
    {
        return $id[0] !== static::NS_SEPARATOR;
    }

    /** @param array{value: mixed, tags?: array<string>, meta?: string} $item as the parent class makes it */
    private static function packed(array $item): Entry
    {
        return new Entry($item['value'], array_values($item['tags'] ?? []), $item['meta'] ?? '');
    }

    /** @return array{value: mixed, tags: array<string, string>, meta?: string} as the parent class takes it */
    private static function unpacked(Entry $entry): array
    {
        $item = ['value' => $entry->value, 'tags' => array_combine($entry->tags, $entry->tags)];

        return strlen($entry->meta) === 8 ? $item + ['meta' => $entry->meta] : $item;
    }

    private function unreadable(\Exception $e, string $name): void
    {
        CacheItem::log($this->logger, 'Failed to fetch key "{key}": ' . $e->getMessage(), [
            'key' => $name,
            'exception' => $e,
            'cache-adapter' => self::class,
        ]);
    }
}
