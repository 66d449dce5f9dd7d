<?php

declare(strict_types=1);

namespace TagCache\Tests\Symfony;

use PHPUnit\Framework\TestCase;
use Psr\Log\AbstractLogger;
use Symfony\Contracts\Cache\ItemInterface;
use TagCache\Symfony\TagCacheAdapter;
use TagCache\Tests\Release\Changes;
use TagCache\Tests\Server;

/** As Psr\ReleaseTest: what a release left unreadable is a miss, is logged once and made anew. */
final class ReleaseTest extends TestCase
{
    /** @dataProvider changes */
    public function testAMissThatIsMadeAnew(mixed $value, array $changes): void
    {
        $namespace = Server::freshNamespace();
        $cache = new TagCacheAdapter(Server::handle(), $namespace);
        $logger = new class () extends AbstractLogger {
            public array $lines = [];

            public function log($level, $message, array $context = []): void
            {
                $this->lines[] = "$level $message";
            }
        };
        $cache->setLogger($logger);
        $make = static fn (ItemInterface $item) => $item->tag(['tag'])->expiresAfter(60) ? $value : null;
        foreach (['bad', 'good'] as $key) {
            $cache->get($key, $make);
        }
        Server::rewrite("$namespace/symfony:bad", $changes);

        self::assertFalse($cache->getItem('bad')->isHit());
        self::assertCount(1, $logger->lines);
        $hits = [];
        foreach ($cache->getItems(['good', 'bad', 'absent']) as $key => $item) {
            $hits[$key] = $item->isHit();
        }
        ksort($hits);
        self::assertSame(['absent' => false, 'bad' => false, 'good' => true], $hits);
        self::assertCount(2, $logger->lines);
        self::assertStringContainsString('warning Failed to fetch', $logger->lines[1]);
        self::assertEquals($value, $cache->get('bad', $make));
        self::assertCount(3, $logger->lines);
        self::assertTrue($cache->getItem('bad')->isHit());
        self::assertCount(3, $logger->lines);
        $cache->clear();
    }

    public static function changes(): array
    {
        return Changes::all();
    }
}
