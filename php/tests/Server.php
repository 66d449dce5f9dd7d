<?php

declare(strict_types=1);

namespace TagCache\Tests;

use TagCache;

/**
 * The server that the tests talk to.
 */
final class Server
{
    private static int $namespaces = 0;

    public static function dsn(): string
    {
        $address = getenv('TAGCACHE_TEST_ADDR') ?: '127.0.0.1:1984';

        return "tagcache://$address?timeout_ms=4000&pool_size=4";
    }

    public static function handle(): TagCache
    {
        return new TagCache(self::dsn());
    }

    /** A handle to a port on which nobody listens. */
    public static function absent(): TagCache
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($socket, false);
        fclose($socket);

        return new TagCache("tagcache://$address?timeout_ms=500");
    }

    /** A namespace that no other test uses, even of another run. */
    public static function freshNamespace(): string
    {
        return sprintf('t%d.%s.%d', getmypid(), bin2hex(random_bytes(3)), ++self::$namespaces);
    }
}
