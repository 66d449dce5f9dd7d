<?php
/*
 * Spans of OpenTelemetry for calls of the cache, if its SDK for PHP is installed
 * (composer require open-telemetry/sdk); without it, nothing changes. Keys are not recorded: they
 * often name people.
 *
 *   php -d extension=tagcache php/examples/otel.php
 */
declare(strict_types=1);

/** A TagCache that makes a span of each call. */
final class TracedCache extends TagCache
{
    private ?object $tracer = null;

    public function __construct(array|string|null $options = null, ?object $tracer = null)
    {
        parent::__construct($options);
        $globals = 'OpenTelemetry\API\Globals';
        $this->tracer = $tracer
            ?? (class_exists($globals) ? $globals::tracerProvider()->getTracer('tagcache', TagCache::VERSION) : null);
    }

    public function get(string $key, mixed $default = null): mixed
    {
        return $this->traced('GET', fn () => parent::get($key, $default));
    }

    public function set(string $key, mixed $value, array $tags = [], ?int $ttl_ms = null): bool
    {
        return $this->traced('PUT', fn () => parent::set($key, $value, $tags, $ttl_ms));
    }

    public function mGet(array $keys): array
    {
        return $this->traced('GET', fn () => parent::mGet($keys), ['db.operation.batch.size' => count($keys)]);
    }

    public function invalidateTag(string $tag): int
    {
        return $this->traced('INV_TAG', fn () => parent::invalidateTag($tag));
    }

    private function traced(string $command, Closure $call, array $attributes = []): mixed
    {
        if ($this->tracer === null) {
            return $call();
        }
        // 2 is SpanKind::KIND_CLIENT, "Error" StatusCode::STATUS_ERROR.
        $span = $this->tracer->spanBuilder("tagcache $command")->setSpanKind(2)
            ->setAttributes(['db.system.name' => 'tagcache', 'db.operation.name' => $command] + $attributes)->startSpan();
        try {
            return $call();
        } catch (TagCache\Exception $thrown) {
            $span->recordException($thrown)->setStatus('Error', get_class($thrown));
            throw $thrown;
        } finally {
            $span->end();
        }
    }
}

/** Stands for the SDK where it is not installed, so that this example shows something. */
final class EchoTracer
{
    public function spanBuilder(string $name): object
    {
        return new class ($name) {
            private array $attributes = [];
            private string $status = 'ok';

            public function __construct(private readonly string $name)
            {
            }

            public function setSpanKind(int $kind): static
            {
                return $this;
            }

            public function setAttributes(array $attributes): static
            {
                $this->attributes = $attributes;
                return $this;
            }

            public function startSpan(): static
            {
                return $this;
            }

            public function recordException(Throwable $thrown): static
            {
                return $this;
            }

            public function setStatus(string $status, string $why = ''): static
            {
                $this->status = "$status $why";
                return $this;
            }

            public function end(): void
            {
                echo "span $this->name [$this->status] ", json_encode($this->attributes), "\n";
            }
        };
    }
}

$tracer = class_exists('OpenTelemetry\API\Globals') ? null : new EchoTracer();
$cache = new TracedCache(getenv('TAGCACHE_DSN') ?: 'tagcache://127.0.0.1:1984', $tracer);
$cache->set('otel:a', 1, ['otel']);
$cache->get('otel:a');
$cache->mGet(['otel:a', 'otel:b']);
$cache->invalidateTag('otel');
try {
    $cache->get("a key with a\ttab");
} catch (TagCache\InvalidArgumentException $thrown) {
    echo $thrown->getMessage(), "\n";
}
