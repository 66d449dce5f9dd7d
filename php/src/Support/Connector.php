<?php

declare(strict_types=1);

namespace TagCache\Support;

use TagCache;

/**
 * Turns what a configuration holds into a handle.
 */
final class Connector
{
    /**
     * @param TagCache|array<string, mixed>|string|null $client a handle, options, a DSN, or null
     *     for the INI settings alone; no connection is opened
     * @throws \TagCache\InvalidArgumentException if an option is wrong
     */
    public static function handle(TagCache|array|string|null $client): TagCache
    {
        return $client instanceof TagCache ? $client : new TagCache($client);
    }
}
