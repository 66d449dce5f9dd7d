<?php

declare(strict_types=1);

namespace TagCache\Symfony;

use Symfony\Component\Cache\Adapter\AbstractTagAwareAdapter;
use TagCache;
use TagCache\Support\Connector;
use TagCache\Support\Keyspace;
use TagCache\Support\Reader;

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

    private readonly TagCache $client;
    private readonly Keyspace $names;

    /** What the ids begin with: the parent class gives them with the namespace. */
    private readonly string $idPrefix;

    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings
     * @param string $namespace pools with the same one share items and tags
     * @param int $defaultLifetime seconds; 0 = no limit
     * @throws \TagCache\InvalidArgumentException
     */
    public function __construct(
        TagCache|array|string|null $client = null,
        string $namespace = '',
        int $defaultLifetime = 0,
    ) {
        parent::__construct($namespace, $defaultLifetime);
        $this->client = Connector::handle($client);
        $this->names = new Keyspace('symfony', $namespace);
        $this->idPrefix = $namespace === '' ? '' : $namespace . ':';
    }

    protected function doFetch(array $ids): iterable
    {
        $names = [];
        foreach ($ids as $id) {
            $names[$id] = $this->name((string) $id);
        }
        $found = Reader::many(
            $this->client,
            array_values($names),
            fn (\Exception $e, string $name) => $this->unreadable($e, $name, count($names) === 1),
        );
        $values = [];
        foreach ($names as $id => $name) {
            if (array_key_exists($name, $found)) {
                $values[$id] = $found[$name];
            }
        }

        return $values;
    }

    protected function doHave(string $id): bool
    {
        return $this->client->has($this->name($id));
    }

    protected function doClear(string $namespace): bool
    {
        if ($namespace === $this->idPrefix) {
            $this->client->invalidateTag($this->names->all());

            return true;
        }
        // Only what begins with a prefix: the encoding of a prefix is a prefix of the encoding.
        $prefix = $this->name($namespace);
        $keys = $this->client->keysByTag($this->names->all());
        $this->client->mDelete(array_values(array_filter(
            $keys,
            static fn (string $key) => str_starts_with($key, $prefix),
        )));

        return true;
    }

    protected function doDelete(array $ids): bool
    {
        $this->client->mDelete(array_map($this->name(...), array_values($ids)));

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
        $groups = [];
        foreach ($values as $id => $value) {
            $tags = $this->names->tags(is_array($value) ? $value['tags'] ?? [] : []);
            $group = implode(',', $tags);
            $groups[$group] ??= [[], $tags];
            $groups[$group][0][$this->name((string) $id)] = $value;
        }
        $ttl = $lifetime > 0 ? 1000 * $lifetime : null;
        foreach ($groups as [$items, $tags]) {
            $this->client->mSet($items, $ttl, $tags);
        }

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
            $tags[] = $this->names->tag(
                preg_split(self::TAG_MARK, $tagId, 2)[1]
                    ?? throw new \LogicException("This version of symfony/cache names tags otherwise: $tagId"),
            );
        }
        $this->client->invalidateTags($tags);

        return true;
    }

    private function name(string $id): string
    {
        return $this->names->key(
            str_starts_with($id, $this->idPrefix) ? substr($id, strlen($this->idPrefix)) : $id,
        );
    }

    /** @throws \Exception for the parent class to log, if it is the only one that was asked for */
    private function unreadable(\Exception $e, string $name, bool $alone): void
    {
        if ($alone) {
            throw $e;
        }
        $this->logger?->warning('Failed to unserialize "{key}": ' . $e->getMessage(), [
            'key' => $name,
            'exception' => $e,
            'cache-adapter' => self::class,
        ]);
    }
}
