<?php

declare(strict_types=1);

namespace TagCache\Laravel;

use Illuminate\Cache\TagSet as IlluminateTagSet;

/**
 * Tags that the server keeps: there are no tag ids to store, and to reset a tag is to invalidate
 * it. The parent class sets the type of $store, which is our Store here.
 */
final class TagSet extends IlluminateTagSet
{
    /** @return void */
    public function reset()
    {
        $this->store->invalidateTags($this->names);
    }

    /** @return string */
    public function resetTag($name)
    {
        $this->store->invalidateTags([$name]);

        return $this->tagId($name);
    }

    /** @return void */
    public function flush()
    {
        $this->reset();
    }

    /** @return void */
    public function flushTag($name)
    {
        $this->store->invalidateTags([$name]);
    }

    /**
     * The id becomes part of the keys, joined by "|" with those of the other tags.
     *
     * @return string
     */
    public function tagId($name)
    {
        return rawurlencode($name);
    }
}
