<?php
/*
 * What the pages of the loads through Apache share. settings.php is written by the script:
 *
 *   port, pool_size    of the handle
 *   wrong_file         where wrong answers are noted
 *   deep               absent in the plain load; else what the deep one adds (see deep.php)
 */
declare(strict_types=1);

require __DIR__ . '/deep.php';

/** @return array<string, mixed> */
function settings(): array
{
    static $settings = null;
    return $settings ??= require __DIR__ . '/settings.php';
}

/** The handle of this request; the pool behind it belongs to the process. */
function load_cache(): TagCache
{
    $settings = settings();
    return new TagCache(($settings['deep']['options'] ?? []) + [
        'host' => '127.0.0.1',
        'port' => $settings['port'],
        'pool_size' => $settings['pool_size'],
    ]);
}

/** Somebody got what is not theirs: note it where the script looks, and answer 500. */
function wrong(string $what): never
{
    file_put_contents(settings()['wrong_file'], $what . "\n", FILE_APPEND | LOCK_EX);
    http_response_code(500);
    exit("WRONG $what\n");
}

/**
 * $got must be $want to the last byte.
 *
 * Where the script kills the server, it may also be what an emptied server answers: $emptied, a
 * value or a function that judges one. That is believed only if the server has in fact been
 * another one since the request began; if not, an acknowledged write was lost.
 */
function expect_same(string $what, mixed $want, mixed $got, mixed $emptied = null): void
{
    if ($got === $want) {
        return;
    }
    $mismatch = "$what: wanted " . brief($want) . ', got ' . brief($got);
    $as_emptied = $emptied instanceof Closure ? $emptied($got) : $got === $emptied;
    if (!isset(settings()['deep']) || !$as_emptied) {
        wrong($mismatch);
    }
    Generation::excuse($mismatch);
}

/** A value in a few characters that still tell whose it is. */
function brief(mixed $value): string
{
    $text = is_string($value) ? $value : serialize($value);
    return get_debug_type($value) . '(' . strlen($text) . ') ' . rawurlencode(substr($text, 0, 60));
}
