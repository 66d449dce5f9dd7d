<?php

declare(strict_types=1);

namespace TagCache\Psr6;

use Psr\Cache\CacheItemInterface;
use TagCache\Support\PsrName;
use TagCache\Support\Ttl;

/**
 * An entry of a Pool. The signatures fit versions 1, 2 and 3 of psr/cache.
 */
class Item implements CacheItemInterface
{
    private ?float $expiry = null;

    /** @var list<string> */
    private array $tags = [];

    /**
     * Items come from Pool::getItem().
     *
     * @internal
     * @param list<string> $previousTags
     */
    final public function __construct(
        private readonly string $key,
        private mixed $value,
        private readonly bool $hit,
        private readonly array $previousTags,
    ) {
    }

    public function getKey(): string
    {
        return $this->key;
    }

    public function get(): mixed
    {
        return $this->value;
    }

    public function isHit(): bool
    {
        return $this->hit;
    }

    public function set($value): static
    {
        $this->value = $value;

        return $this;
    }

    public function expiresAt($expiration): static
    {
        if ($expiration !== null && !$expiration instanceof \DateTimeInterface) {
            throw new InvalidArgumentException(
                sprintf('An expiration is a DateTimeInterface or null, %s given.', get_debug_type($expiration)),
            );
        }
        $this->expiry = $expiration === null ? null : (float) $expiration->format('U.u');

        return $this;
    }

    public function expiresAfter($time): static
    {
        $ms = match (true) {
            $time === null => null,
            is_int($time) => Ttl::fromSeconds($time),
            $time instanceof \DateInterval => Ttl::fromInterval($time),
            default => throw new InvalidArgumentException(sprintf(
                'A time to live is an integer of seconds, a DateInterval or null, %s given.',
                get_debug_type($time),
            )),
        };
        $this->expiry = $ms === null ? null : microtime(true) + $ms / 1000;

        return $this;
    }

    /**
     * Sets the tags with which the item will be saved, instead of those set before.
     *
     * @param string[] $tags
     * @throws InvalidArgumentException
     */
    public function setTags(array $tags): static
    {
        foreach ($tags as $place => $tag) {
            $fault = PsrName::faultAt($place, $tag, 'tag');
            if ($fault !== null) {
                $advice = is_string($place) ? ' For a time to live there is expiresAfter().' : '';
                throw new InvalidArgumentException($fault . $advice);
            }
        }
        $this->tags = array_values(array_unique($tags));

        return $this;
    }

    /**
     * The tags with which the item was stored when it was fetched.
     *
     * @return list<string>
     */
    public function getPreviousTags(): array
    {
        return $this->previousTags;
    }

    /**
     * The tags to save it with.
     *
     * @internal
     * @return list<string>
     */
    public function newTags(): array
    {
        return $this->tags;
    }

    /**
     * How long to keep it, in milliseconds; 0 = over already; null = no limit was set.
     *
     * @internal
     */
    public function ttlMs(): ?int
    {
        return $this->expiry === null ? null : Ttl::until($this->expiry);
    }
}
