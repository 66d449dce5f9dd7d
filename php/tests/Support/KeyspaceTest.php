<?php

declare(strict_types=1);

namespace TagCache\Tests\Support;

use PHPUnit\Framework\TestCase;
use TagCache\Support\Keyspace;
use TagCache\Tests\Server;

final class KeyspaceTest extends TestCase
{
    public function testNamesAreReadable(): void
    {
        $names = new Keyspace('app');
        self::assertSame('app/user.42', $names->key('user.42'));
        self::assertSame('app#users', $names->tag('users'));
        self::assertSame('app*', $names->all());
        self::assertSame(['app*', 'app#a', 'app#b'], $names->tags(['a', 'b', 'a']));
        self::assertSame('symfony:app/x', (new Keyspace('symfony', 'app'))->key('x'));
    }

    public function testNoTwoNamesAreOne(): void
    {
        $seen = [];
        foreach ([['a'], ['a', 'b'], ['a:b'], ['a', ''], ['', 'a'], [''], ['a/b'], ['a%3Ab']] as $parts) {
            $names = new Keyspace(...$parts);
            foreach (['b', 'b/c', ':b', '/b', 'b ', ' b', 'b,c', 'b%2Cc', "b\0", 'ü', "\xff", '*', '#b'] as $name) {
                foreach (['key', 'companion', 'lock', 'tag'] as $kind) {
                    $seen[] = $names->$kind($name);
                }
            }
            $seen[] = $names->all();
        }
        self::assertSame($seen, array_values(array_unique($seen)));
    }

    public function testTheServerTakesEveryByte(): void
    {
        $client = Server::handle();
        $names = new Keyspace(Server::freshNamespace());
        for ($byte = 0; $byte < 256; ++$byte) {
            $name = chr($byte) . 'x' . chr($byte);
            $client->set($names->key($name), $byte, $names->tags([$name]), 60_000);
            self::assertSame($byte, $client->get($names->key($name)));
            self::assertSame([$names->key($name)], $client->keysByTag($names->tag($name)));
        }
        self::assertCount(256, $client->keysByTag($names->all()));
        self::assertSame(256, $client->invalidateTag($names->all()));
    }
}
