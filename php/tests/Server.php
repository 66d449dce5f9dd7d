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

    /**
     * Changes the bytes of what is stored under a key, as if other code had stored it.
     *
     * @param array<string, string> $changes of equal lengths
     */
    public static function rewrite(string $key, array $changes): void
    {
        $wire = rtrim(substr(self::ask("GET\t$key"), strlen("VALUE\t")), "\r\n");
        $mark = '__TC_SERIALIZED__';
        if (!str_starts_with($wire, $mark)) {
            throw new \LogicException("no object is stored under $key: $wire");
        }
        $bytes = base64_decode(substr($wire, strlen($mark)));
        $changed = strtr($bytes, $changes);
        if ($changed === $bytes) {
            throw new \LogicException("nothing to change in $bytes");
        }
        self::ask("PUT\t$key\t60000\t-\t$mark" . base64_encode($changed));
    }

    /** Sends a line of the protocol and returns the reply. */
    private static function ask(string $line): string
    {
        $url = parse_url(self::dsn());
        $socket = stream_socket_client("tcp://{$url['host']}:{$url['port']}");
        fwrite($socket, "$line\n");
        $reply = fgets($socket);
        fclose($socket);

        return $reply;
    }

    /** A namespace that no other test uses, even of another run. */
    public static function freshNamespace(): string
    {
        return sprintf('t%d.%s.%d', getmypid(), bin2hex(random_bytes(3)), ++self::$namespaces);
    }
}
