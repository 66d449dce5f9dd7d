<?php
/* What the pages of scripts/apache-load.sh share. settings.php is written by the script. */
declare(strict_types=1);

/** The handle of this request; the pool behind it belongs to the process. */
function load_cache(): TagCache
{
    $settings = require __DIR__ . '/settings.php';
    return new TagCache([
        'host' => '127.0.0.1',
        'port' => $settings['port'],
        'pool_size' => $settings['pool_size'],
    ]);
}

/** Somebody got what is not theirs: note it where the script looks, and answer 500. */
function wrong(string $what): never
{
    $settings = require __DIR__ . '/settings.php';
    file_put_contents($settings['wrong_file'], $what . "\n", FILE_APPEND | LOCK_EX);
    http_response_code(500);
    exit("WRONG $what\n");
}

/** $got must be $want to the last byte. */
function expect_same(string $what, mixed $want, mixed $got): void
{
    if ($got !== $want) {
        wrong("$what: wanted " . brief($want) . ', got ' . brief($got));
    }
}

/** A value in a few characters that still tell whose it is. */
function brief(mixed $value): string
{
    $text = is_string($value) ? $value : serialize($value);
    return get_debug_type($value) . '(' . strlen($text) . ') ' . rawurlencode(substr($text, 0, 60));
}
