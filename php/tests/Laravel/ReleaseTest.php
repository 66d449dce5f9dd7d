<?php

declare(strict_types=1);

namespace TagCache\Tests\Laravel;

use Illuminate\Cache\Repository;
use PHPUnit\Framework\TestCase;
use TagCache\Laravel\Store;
use TagCache\Tests\Release\Changes;
use TagCache\Tests\Server;

/** As Psr\ReleaseTest: what a release left unreadable is a miss, is reported once and made anew. */
final class ReleaseTest extends TestCase
{
    /** @dataProvider changes */
    public function testAMissThatIsMadeAnew(mixed $value, array $changes): void
    {
        $prefix = Server::freshNamespace();
        $failures = [];
        $store = new Store(Server::handle(), $prefix, static function (\Exception $e, string $operation) use (&$failures): void {
            $failures[] = $operation;
        });
        $cache = new Repository($store);
        $cache->putMany(['good' => [1], 'bad' => $value], 60);
        Server::rewrite("$prefix/laravel:bad", $changes);

        self::assertNull($cache->get('bad'));
        self::assertSame(['get'], $failures);
        self::assertFalse($cache->has('bad'));
        self::assertSame(['good' => [1], 'bad' => null, 'absent' => null], $cache->many(['good', 'bad', 'absent']));
        self::assertSame(['get', 'get', 'get'], $failures);
        self::assertEquals($value, $cache->remember('bad', 60, static fn () => $value));
        self::assertEquals($value, $cache->get('bad'));
        self::assertCount(4, $failures);
        $store->flush();
    }

    public static function changes(): array
    {
        return Changes::all();
    }
}
