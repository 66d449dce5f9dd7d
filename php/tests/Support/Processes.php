<?php

declare(strict_types=1);

namespace TagCache\Tests\Support;

/**
 * Runs code in another PHP like this one, with the same extensions.
 */
final class Processes
{
    /**
     * @param string[] $arguments $argv from 1 on
     * @return array{resource, resource} for finish()
     */
    public static function start(string $code, array $arguments): array
    {
        $pipes = [];
        $output = tmpfile();
        $process = proc_open(
            [PHP_BINARY, ...self::options(), '-r', $code, '--', ...$arguments],
            [['file', '/dev/null', 'r'], $output, $output],
            $pipes,
        );

        return [$process, $output];
    }

    /**
     * @param array{resource, resource} $child
     * @return array{int, string} exit code and what it printed, after at most a minute
     */
    public static function finish(array $child): array
    {
        [$process, $output] = $child;
        $deadline = hrtime(true) + 60_000_000_000;
        while (($status = proc_get_status($process))['running'] && hrtime(true) < $deadline) {
            usleep(2_000);
        }
        if ($status['running']) {
            proc_terminate($process, 9);
        }
        proc_close($process);
        rewind($output);

        return [$status['exitcode'], stream_get_contents($output)];
    }

    /** @return string[] what scripts/frameworks.sh gave to this PHP */
    private static function options(): array
    {
        return array_filter(explode("\n", (string) getenv('TAGCACHE_TEST_PHP_OPTIONS')), 'strlen');
    }
}
