<?php

declare(strict_types=1);

namespace TagCache\Support;

/**
 * Where failures go that a cache must not answer with an exception (PSR-6 asks for this).
 *
 * By default to PHP's error log, each different message once per cache; of failures to reach a server
 * each kind, as their messages tell times.
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
            $kind = $e instanceof \TagCache\ConnectionException ? [$operation, $e::class, $e->getPeer()] : [$line];
            $kind = implode("\0", $kind);
            if (!isset($seen[$kind]) && count($seen) < 100) {
                $seen[$kind] = true;
                error_log($line);
            }
        };
    }
}
