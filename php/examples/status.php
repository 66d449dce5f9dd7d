<?php
/*
 * A page to look at: what the pools of this process do, what went wrong last, what is configured
 * badly. Put it where only you can reach it; it shows addresses and settings, no keys and no values.
 *
 *   php -d extension=tagcache -S 127.0.0.1:8000 php/examples/status.php
 *
 * ?format=metrics gives the figures to Prometheus. The figures are those of the process that answers:
 * under Apache with threads or FrankenPHP of all threads, under FPM of one of the workers.
 */
declare(strict_types=1);

if (($_GET['format'] ?? '') === 'metrics') {
    header('Content-Type: text/plain; version=0.0.4; charset=utf-8');
    echo TagCache::metrics();
    return;
}

$report = TagCache::doctor();
header('Content-Type: text/html; charset=utf-8');
header("Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'");
header('Cache-Control: no-store');

/** Text of somebody else, in HTML. */
function e(string|int|float|null $text): string
{
    return htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

function count_of(int $number): string
{
    return e(number_format($number, 0, '.', "\u{202f}"));
}

/** A count in a few characters. */
function short(int $number): string
{
    return e(match (true) {
        $number < 10_000 => (string) $number,
        $number < 10_000_000 => round($number / 1000) . 'k',
        default => round($number / 1e6) . 'M',
    });
}

/** A count and which part of all it is. */
function share(int $number, int $of): string
{
    $percent = 100 * $number / max(1, $of);
    $part = $number === 0 ? '' : ' <small>' . e($percent < 0.1 ? 'below 0.1' : round($percent, 1)) . "\u{202f}%</small>";
    return count_of($number) . $part;
}

function bytes(int|float $bytes): string
{
    foreach (['B', 'KiB', 'MiB', 'GiB'] as $unit) {
        if ($bytes < 1024 || $unit === 'GiB') {
            return e(round($bytes, 1) . "\u{202f}$unit");
        }
        $bytes /= 1024;
    }
}

function span(float $us): string
{
    return e(match (true) {
        $us < 1 => '0',
        $us < 1000 => round($us) . "\u{202f}µs",
        $us < 1e6 => round($us / 1000, 1) . "\u{202f}ms",
        default => round($us / 1e6, 1) . "\u{202f}s",
    });
}

/** Bars, one a bucket; a bucket with anything in it has a bar that can be seen. */
function histogram(string $title, array $buckets, array $times): string
{
    $most = max(1, ...array_column($buckets, 'count'));
    $bars = '';
    foreach ($buckets as $bucket) {
        $upto = $bucket['le_us'] === null ? 'longer' : '≤ ' . span($bucket['le_us']);
        $height = $bucket['count'] === 0 ? 0 : max(3, (int) round(100 * $bucket['count'] / $most));
        $label = $bucket['le_us'] === null ? '∞' : span($bucket['le_us']);
        $count = $bucket['count'] === 0 ? '' : short($bucket['count']);
        $bars .= '<li title="' . $upto . ': ' . count_of($bucket['count']) . '">'
            . "<em>$count</em><i style=\"height:{$height}%\"></i><span>$label</span></li>";
    }
    return '<figure><figcaption><b>' . e($title) . '</b> p50 ' . span($times['p50']) . ' · p95 ' . span($times['p95'])
        . ' · p99 ' . span($times['p99']) . "</figcaption><ol class=\"bars\">$bars</ol></figure>";
}

function pool(array $pool): string
{
    $part = fn (int $n) => round(100 * $n / max(1, $pool['size']), 2);
    $closed = $pool['closed_broken'] + $pool['closed_stale'] + $pool['closed_retired'];
    $facts = [
        'calls' => count_of($pool['round_trip_us']['count']),
        'had to wait' => share($pool['waits'], $pool['check_outs']),
        'gave up waiting' => share($pool['acquire_timeouts'], $pool['check_outs']),
        'opened' => count_of($pool['opened']),
        'closed' => count_of($closed) . " <small>{$pool['closed_broken']} broken, {$pool['closed_stale']} stale, "
            . "{$pool['closed_retired']} retired</small>",
        'failed to connect' => count_of($pool['connect_failures'])
            . ($pool['connects_skipped'] === 0 ? '' : ' <small>' . count_of($pool['connects_skipped']) . ' more did not try</small>'),
        'reachable' => $pool['unreachable_ms'] === null ? 'yes' : '<b class="error">not for ' . span($pool['unreachable_ms'] * 1000) . '</b>',
        'sent again' => count_of($pool['retries']),
        'bytes out / in' => bytes($pool['bytes_sent']) . ' / ' . bytes($pool['bytes_received']),
        'oldest connection' => $pool['oldest_ms'] === null ? 'none' : span($pool['oldest_ms'] * 1000),
        'answer just now' => $pool['answer_ms'] === null ? '<b class="error">none</b>' : span($pool['answer_ms'] * 1000),
    ];
    $list = '';
    foreach ($facts as $name => $fact) {
        $list .= '<div><dt>' . e($name) . "</dt><dd>$fact</dd></div>";
    }
    return '<section class="pool"><h3>' . e($pool['endpoint']) . ' <small>pool ' . e($pool['id']) . '</small></h3>'
        . "<p class=\"use\"><i class=\"busy\" style=\"width:{$part($pool['in_use'])}%\"></i>"
        . "<i class=\"idle\" style=\"width:{$part($pool['idle'])}%\"></i></p>"
        . "<p>{$pool['in_use']} in use, {$pool['idle']} idle, {$pool['size']} at most, {$pool['waiters']} waiting</p>"
        . "<dl>$list</dl>"
        . histogram('Round trip', $pool['round_trip_buckets'], $pool['round_trip_us'])
        . histogram('Waiting for a connection', $pool['acquire_buckets'], $pool['acquire_us'])
        . '</section>';
}

?>
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>TagCache: <?= $report['ok'] ? 'well' : 'needs attention' ?></title>
<style>
    :root { color-scheme: light dark; --line: #8884; --busy: #c2410c; --idle: #15803d; --bar: #2563eb; --error: #b91c1c; --warning: #b45309; --advice: #2563eb }
    @media (prefers-color-scheme: dark) { :root { --bar: #60a5fa; --error: #f87171; --warning: #fbbf24; --advice: #60a5fa; --idle: #4ade80; --busy: #fb923c } }
    body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
    h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem } h3 { margin: 0 0 .5rem } small { font-weight: normal; opacity: .7 }
    .pool, .finding { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: .75rem 0 }
    .finding { border-left-width: .4rem; padding: .6rem 1rem } .finding p { margin: .1rem 0; overflow-wrap: anywhere }
    .finding.error { border-left-color: var(--error) } .finding.warning { border-left-color: var(--warning) } .finding.advice { border-left-color: var(--advice) }
    .well { color: var(--idle) } .error { color: var(--error) } .warning { color: var(--warning) } .advice { color: var(--advice) } .finding.error, .finding.warning, .finding.advice { color: inherit }
    .use { display: flex; height: .6rem; background: var(--line); border-radius: .3rem; overflow: hidden; margin: .25rem 0 }
    .busy { background: var(--busy) } .idle { background: var(--idle) }
    dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .5rem 1rem } dt { font-size: .8rem; opacity: .75 } dd { margin: 0 }
    figure { margin: 1rem 0 0 } .bars { display: flex; gap: 2px; padding: 0; margin: .4rem 0 0; list-style: none }
    .bars li { flex: 1; height: 7.2rem; display: flex; flex-direction: column; justify-content: flex-end; min-width: 0 }
    .bars em { font: .62rem system-ui, sans-serif; text-align: center } .bars i { background: var(--bar); display: block; border-radius: 2px 2px 0 0; max-height: 5rem } .bars span { font-size: .62rem; text-align: center; border-top: 1px solid var(--line); white-space: nowrap; height: 1.2rem }
    table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; vertical-align: top }
</style>
<h1>TagCache <?= e($report['version']) ?>: <span class="<?= $report['ok'] ? 'well' : 'error' ?>"><?= $report['ok'] ? 'all is well' : 'needs attention' ?></span></h1>
<p>Process <?= e($report['pid']) ?>, PHP <?= e(PHP_VERSION) ?> <?= $report['thread_safe'] ? 'ZTS' : 'NTS' ?> (<?= e(PHP_SAPI) ?>),
    <?= e(gmdate('Y-m-d H:i:s')) ?> UTC.</p>

<h2>Findings</h2>
<?php if ($report['findings'] === []): ?>
<p>None.</p>
<?php endif ?>
<?php foreach ($report['findings'] as $finding): ?>
<div class="finding <?= e($finding['level']) ?>">
    <p><b class="<?= e($finding['level']) ?>"><?= e($finding['level']) ?></b> <?= e($finding['what']) ?></p>
    <p><small><?= e($finding['advice']) ?><?= $finding['since'] === null ? '' : ' (since ' . e(gmdate('H:i:s', (int) $finding['since'])) . ' UTC)' ?></small></p>
</div>
<?php endforeach ?>

<h2>Pools of this process</h2>
<?= implode("\n", array_map('pool', $report['pools'])) ?>


<h2>Last errors</h2>
<?php if ($report['errors'] === []): ?>
<p>None.</p>
<?php else: ?>
<table>
    <tr><th>last at (UTC)</th><th>times</th><th>what</th></tr>
<?php foreach ($report['errors'] as $error): ?>
    <tr><td><?= e(gmdate('Y-m-d H:i:s', (int) $error['at'])) ?></td><td><?= count_of($error['times']) ?></td><td><?= e($error['message']) ?></td></tr>
<?php endforeach ?>
</table>
<?php endif ?>

<h2>Settings</h2>
<table>
    <tr><th>setting</th><th>value</th></tr>
<?php foreach (ini_get_all('tagcache', false) as $name => $value): ?>
    <tr><td><?= e($name) ?></td><td><?= e($value) ?></td></tr>
<?php endforeach ?>
</table>
</html>
