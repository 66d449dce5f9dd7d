<?php

declare(strict_types=1);

namespace TagCache\Support;

/**
 * Where failures go that a cache must not answer with an exception (PSR-6 asks for this).
 *
 * By default to PHP's error log, each different message once per cache.
 */
final class FailureReporter
{
    private readonly \Closure $report;

    /** @param (callable(\Exception, string): void)|null $report gets the failure and the operation */
    public function __construct(?callable $report = null)
    {
        $this->report = $report === null ? self::errorLog() : $report(...);
    }

    /**
     * Runs an operation; if it throws, reports that and returns $otherwise.
     *
     * @template T
     * @param callable(): T $operation
     * @param T $otherwise
     * @return T
     */
    public function guard(string $name, callable $operation, mixed $otherwise): mixed
    {
        try {
            return $operation();
        } catch (\Exception $e) {
            $this->report($e, $name);

            return $otherwise;
        }
    }

    /** Reports a failure of an operation that went on. */
    public function report(\Exception $failure, string $operation): void
    {
        ($this->report)($failure, $operation);
    }

    private static function errorLog(): \Closure
    {
        $seen = [];

        return static function (\Exception $e, string $operation) use (&$seen): void {
            $line = sprintf('tagcache: %s failed: %s: %s', $operation, $e::class, $e->getMessage());
            if (!isset($seen[$line]) && count($seen) < 100) {
                $seen[$line] = true;
                error_log($line);
            }
        };
    }
}
