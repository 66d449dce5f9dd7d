<?php

declare(strict_types=1);

namespace TagCache\Tests;

use PHPUnit\Framework\TestCase;

/** The snippets of README.md and docs/frameworks.md that need no framework around them. */
final class DocsTest extends TestCase
{
    /** @testWith ["psr16"]
     *            ["readme psr16"]
     */
    public function testPsr16(string $block): void
    {
        eval(Docs::block($block));
        self::assertTrue($cache->set('key', 1, 60));
        self::assertSame(1, $cache->get('key'));
        $cache->clear();
    }

    public function testPsr6(): void
    {
        eval(Docs::block('psr6'));
        self::assertFalse($pool->hasItem('user.42'));
        $pool->save($pool->getItem('user.42')->set(1)->setTags(['users']));
        self::assertSame(1, Server::handle()->invalidateTag('my-app/psr6:users'), 'as the page says');
        self::assertFalse($pool->hasItem('user.42'));
        $pool->clear();
    }

    public function testSharing(): void
    {
        eval(Docs::block('shared'));
        $pool->save($pool->getItem('key')->set(['v'])->setTags(['t']));
        self::assertSame(['v'], $cache->get('key'));
        $cache->clear();
        self::assertFalse($pool->hasItem('key'));
    }

    /** @testWith ["symfony alone"]
     *            ["readme symfony"]
     */
    public function testSymfony(string $block): void
    {
        eval(Docs::block($block));
        self::assertSame(['name' => 'Ada'], $user);
        self::assertFalse($cache->hasItem('user.42'));
    }

    public function testSession(): void
    {
        $code = 'require $argv[1]; ini_set("session.use_cookies", "0"); session_cache_limiter("");'
            . Docs::block('session') . '$_SESSION["n"] = 1; session_write_close(); session_start(); echo $_SESSION["n"];'
            . 'session_destroy();';
        $child = Support\Processes::start($code, [__DIR__ . '/bootstrap.php']);
        self::assertSame([0, '1'], Support\Processes::finish($child));
    }
}
