--TEST--
The PHP of docs/guide.md runs, and gives what the guide says
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

/** The blocks of PHP as one script; "EXPRESSION;  // => VALUE" becomes a comparison. */
function script_of(string $page): string
{
    preg_match_all('/^```php\n(.*?)^```$/ms', $page, $blocks);
    $lines = explode("\n", implode("\n", $blocks[1]));
    foreach ($lines as $n => $line) {
        if (preg_match('/^(\S.*);\s+\/\/ => (.+)$/', $line, $parts)) {
            $lines[$n] = "same({$parts[2]}, {$parts[1]}, " . var_export($line, true) . '); $seen++;';
        }
    }
    return implode("\n", $lines);
}

$script = script_of(file_get_contents(__DIR__ . '/../../docs/guide.md'));
// The server of the tests, and keys that no other test has.
$script = str_replace("new TagCache('tagcache://127.0.0.1:1984')", "cache(['prefix' => k('')])", $script, $handles);
same(1, $handles, 'handles of the guide');
$seen = 0;
eval($script);
check($seen >= 20, "$seen comparisons");
finish();
--EXPECT--
ok
