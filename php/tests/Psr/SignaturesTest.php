<?php

declare(strict_types=1);

namespace TagCache\Tests\Psr;

use PHPUnit\Framework\TestCase;
use ReflectionClass;
use ReflectionNamedType;
use TagCache\Psr16\Cache;
use TagCache\Psr6\Item;
use TagCache\Psr6\Pool;
use TagCache\Psr6\TaggableItem;
use TagCache\Psr6\TaggablePool;
use TagCache\Tests\Server;

/**
 * Versions 2 and 3 of the PSR interfaces added types. That these classes could be loaded shows
 * that they fit the version that is there; this shows that they fit the other too.
 */
final class SignaturesTest extends TestCase
{
    /** Return types of psr/cache 3 and psr/simple-cache 3, from the standards. */
    private const RETURNS = [
        Cache::class => [
            'get' => 'mixed', 'set' => 'bool', 'delete' => 'bool', 'clear' => 'bool', 'getMultiple' => 'iterable',
            'setMultiple' => 'bool', 'deleteMultiple' => 'bool', 'has' => 'bool',
        ],
        Pool::class => [
            'getItem' => Item::class, 'getItems' => 'array', 'hasItem' => 'bool', 'clear' => 'bool',
            'deleteItem' => 'bool', 'deleteItems' => 'bool', 'save' => 'bool', 'saveDeferred' => 'bool',
            'commit' => 'bool',
        ],
        Item::class => [
            'getKey' => 'string', 'get' => 'mixed', 'isHit' => 'bool', 'set' => 'static', 'expiresAt' => 'static',
            'expiresAfter' => 'static',
        ],
    ];

    /** The only types of version 1, and every version has them. */
    private const TYPED = ['keys of getItems', 'keys of deleteItems', 'item of save', 'item of saveDeferred'];

    public function testEachMethodFitsEveryVersion(): void
    {
        foreach (self::RETURNS as $class => $methods) {
            foreach ($methods as $name => $return) {
                $method = (new ReflectionClass($class))->getMethod($name);
                self::assertSame(ltrim($return, '\\'), self::named($method->getReturnType()), "$class::$name()");
                foreach ($method->getParameters() as $parameter) {
                    $typed = in_array("{$parameter->getName()} of $name", self::TYPED, true);
                    self::assertSame($typed, $parameter->hasType(), "$class::$name(\${$parameter->getName()})");
                }
            }
        }
    }

    public function testTagInterop(): void
    {
        if ((new ReflectionClass(\Psr\Cache\CacheItemPoolInterface::class))->getMethod('getItem')->hasReturnType()) {
            $this->markTestSkipped('cache/tag-interop 1.1 does not load with psr/cache 3');
        }
        $pool = new TaggablePool(Server::handle(), Server::freshNamespace());
        self::assertInstanceOf(\Cache\TagInterop\TaggableCacheItemPoolInterface::class, $pool);
        $item = $pool->getItem('key');
        self::assertInstanceOf(\Cache\TagInterop\TaggableCacheItemInterface::class, $item);
        self::assertTrue($pool->save($item->set(1)->setTags(['tag'])));
        self::assertInstanceOf(TaggableItem::class, $pool->getItems(['key'])['key']);
        self::assertSame(['tag'], $pool->getItem('key')->getPreviousTags());
        self::assertTrue($pool->invalidateTags(['tag']));
        self::assertFalse($pool->hasItem('key'));
    }

    private static function named(?\ReflectionType $type): string
    {
        return $type instanceof ReflectionNamedType ? $type->getName() : (string) $type;
    }
}
