<?php

/*
 * Reads what PHPUnit logged and prints one line a suite: "NAME: N passed, N failed, N skipped".
 *
 *   php verdict.php LIBRARIES JUNIT_XML DOCS_PAGE [SUITE]
 *
 * The exit code is 0 only if tests of every suite (or of the one that is named) ran, none failed, and every skip stands in the
 * table "Skipped" of the page, for these libraries.
 */

declare(strict_types=1);

const SUITES = [
    'TagCache\Tests\Public\Psr6Test' => 'public PSR-6',
    'TagCache\Tests\Public\Psr6TagsTest' => 'public PSR-6 tags',
    'TagCache\Tests\Public\Psr16Test' => 'public PSR-16',
    'TagCache\Tests\Public\SymfonyPsr6Test' => 'public PSR-6 on Symfony',
    'TagCache\Tests\Public\SymfonyPsr16Test' => 'public PSR-16 on Symfony',
    'TagCache\Tests\Psr\\' => 'own PSR',
    'TagCache\Tests\Symfony\\' => 'own Symfony',
    'TagCache\Tests\Laravel\\' => 'own Laravel',
    'TagCache\Tests\Session\\' => 'own sessions',
    'TagCache\Tests\\' => 'own names, locks, docs',
];

[, $libraries, $log, $page] = $argv;
$xml = load($log);
$counts = array_fill_keys(isset($argv[4]) ? [$argv[4]] : array_values(SUITES), ['passed' => 0, 'failed' => 0, 'skipped' => 0]);
$complaints = [];
foreach ($xml->getElementsByTagName('testcase') as $case) {
    $class = $case->getAttribute('class');
    $test = $class . '::' . preg_replace('/ with data set .*/s', '', $case->getAttribute('name'));
    $outcome = match (true) {
        has($case, 'error'), has($case, 'failure'), has($case, 'warning') => 'failed',
        has($case, 'skipped') => 'skipped',
        default => 'passed',
    };
    ++$counts[suite($class)][$outcome];
    if ($outcome === 'failed') {
        $complaints[] = "failed: $test";
    } elseif ($outcome === 'skipped' && !listed($page, $test, $libraries)) {
        $complaints[] = "skipped, and not listed in docs/frameworks.md: $test";
    }
}
foreach ($counts as $suite => $count) {
    printf(
        "%s, %s: %d passed, %d failed, %d skipped\n",
        $libraries,
        $suite,
        $count['passed'],
        $count['failed'],
        $count['skipped'],
    );
    if ($count['passed'] === 0) {
        $complaints[] = "no test of the suite '$suite' passed";
    }
}
foreach ($complaints as $complaint) {
    fwrite(STDERR, "$libraries: $complaint\n");
}
exit($complaints === [] ? 0 : 1);

function load(string $log): DOMDocument
{
    $xml = new DOMDocument();
    if (!is_file($log) || !$xml->load($log)) {
        fwrite(STDERR, "PHPUnit left no log: it broke off\n");
        exit(1);
    }

    return $xml;
}

function has(DOMElement $case, string $element): bool
{
    return $case->getElementsByTagName($element)->length > 0;
}

function suite(string $class): string
{
    foreach (SUITES as $prefix => $suite) {
        if (str_starts_with($class, $prefix)) {
            return $suite;
        }
    }
    throw new LogicException("no suite for $class");
}

/** Rows are "| `Class::test` | libraries | reason |". */
function listed(string $page, string $test, string $libraries): bool
{
    $short = substr($test, strrpos($test, '\\') + 1);
    foreach (file($page) as $line) {
        $cells = array_map('trim', explode('|', $line));
        if (count($cells) === 5 && $cells[1] === "`$short`" && $cells[2] === $libraries && $cells[3] !== '') {
            return true;
        }
    }

    return false;
}
