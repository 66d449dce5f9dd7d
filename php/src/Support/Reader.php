<?php

declare(strict_types=1);

namespace TagCache\Support;

use TagCache;

/**
 * Reads many entries at once, so that one that cannot be read does not take the others with it.
 */
final class Reader
{
    /**
     * @param list<string> $names keys of the server
     * @param callable(\Exception, string): void $unreadable gets the failure and the key of each
     *     entry that is there but cannot be read
     * @return array<string, mixed> those that are there and can be read, by key
     * @throws \TagCache\ConnectionException
     */
    public static function many(TagCache $client, array $names, callable $unreadable): array
    {
        try {
            return $client->mGet($names);
        } catch (\TagCache\ConnectionException $e) {
            throw $e;
        } catch (\Exception $e) {
            if (count($names) === 1) {
                $unreadable($e, $names[0]);

                return [];
            }
        }
        // Which one it is, only asking for each can tell: what fails may be the user's own __wakeup().
        $found = [];
        foreach ($names as $name) {
            $found += self::many($client, [$name], $unreadable);
        }

        return $found;
    }
}
