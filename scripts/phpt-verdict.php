<?php
/*
 * Judges a result file of run-tests.php (lines "RESULT<TAB>path") against tests/skips.txt.
 *
 *   php phpt-verdict.php FLAVOUR own|real ROOT RESULTS      run by the PHP that was tested
 *
 * Only PASSED is a pass. A skip counts as a skip if the list has it, else as a failure. A listed
 * test that ran all the same is named, as its line may be out of date, but fails nothing: some
 * skips hang on the machine (no IPv6, no second address).
 */
declare(strict_types=1);

[, $flavour, $server, $root, $results] = $argv;

/** @return array<string, string> path relative to tests/ => reason, of the lines that apply */
function listed_skips(string $file, string $server): array
{
    $skips = [];
    $wanted = 'want "path nts|zts|<VERSION|* own|real|* reason"';
    foreach (is_file($file) ? file($file, FILE_IGNORE_NEW_LINES) : [] as $number => $line) {
        if (trim($line) === '' || $line[0] === '#') {
            continue;
        }
        $fields = preg_split('/\s+/', trim($line), 4);
        if (
            count($fields) !== 4
            || preg_match('/^(?:nts|zts|\*|<\d+\.\d+)$/', $fields[1]) !== 1
            || !in_array($fields[2], ['own', 'real', '*'], true)
        ) {
            fwrite(STDERR, "$file:" . ($number + 1) . ": $wanted\n");
            exit(2);
        }
        [$path, $php, $against, $reason] = $fields;
        if (!is_file(dirname($file) . "/$path")) {
            fwrite(STDERR, "$file:" . ($number + 1) . ": there is no test $path\n");
            exit(2);
        }
        $applies = $php[0] === '<'
            ? version_compare(PHP_VERSION, substr($php, 1), '<')
            : in_array($php, [PHP_ZTS ? 'zts' : 'nts', '*'], true);
        if ($applies && in_array($against, [$server, '*'], true)) {
            $skips[$path] = $reason;
        }
    }
    return $skips;
}

$skips = listed_skips("$root/tests/skips.txt", $server);
$passed = $failed = $skipped = 0;
foreach (file($results, FILE_IGNORE_NEW_LINES) as $line) {
    [$result, $path] = explode("\t", $line, 2);
    $name = str_starts_with($path, "$root/tests/") ? substr($path, strlen("$root/tests/")) : $path;
    if ($result === 'SKIPPED' && isset($skips[$name])) {
        $skipped++;
        echo "skipped as listed: $name ({$skips[$name]})\n";
    } elseif ($result === 'SKIPPED') {
        $failed++;
        echo "FAILED: $name was skipped, and tests/skips.txt does not list it\n";
    } elseif ($result === 'PASSED') {
        $passed++;
        if (isset($skips[$name])) {
            echo "note: $name ran though tests/skips.txt lists it ({$skips[$name]})\n";
        }
    } else {
        $failed++;
        echo "FAILED: $name ($result)\n";
    }
}
echo "phpt $flavour: $passed passed, $failed failed, $skipped skipped\n";
exit($failed === 0 && $passed > 0 ? 0 : 1);
