<?php
/*
 * Judges XML files of valgrind: counts the errors whose stack goes through one object, prints each
 * of them once.
 *
 *   php valgrind-verdict.php TOOL OBJECT FILE...
 *
 * Ends with "TOOL: N processes, N errors, N bytes definitely lost in OBJECT (N errors of others)".
 * Fails if there was an error or a byte, or no process at all.
 */
declare(strict_types=1);

[, $tool, $object] = $argv;
$files = array_filter(array_slice($argv, 3), is_file(...));
$errors = $lost = $others = 0;
$shown = [];

/** The frames of the stacks of an error as "function (file:line)", and whether one is in $object. */
function stacks(DOMElement $error, string $object): array
{
    $text = '';
    $ours = false;
    foreach ($error->getElementsByTagName('frame') as $frame) {
        $field = fn (string $name) => $frame->getElementsByTagName($name)->item(0)?->textContent ?? '';
        $here = basename($field('obj')) === $object;
        $ours = $ours || $here;
        $place = $field('file') === '' ? basename($field('obj')) : $field('file') . ':' . $field('line');
        $text .= ($here ? '  * ' : '    ') . ($field('fn') ?: '???') . " ($place)\n";
    }
    return [$text, $ours];
}

foreach ($files as $file) {
    $document = new DOMDocument();
    // A process that was killed leaves its file unfinished.
    $document->loadXML((string) file_get_contents($file), LIBXML_NOERROR | LIBXML_NOWARNING | LIBXML_RECOVER);
    foreach ($document->getElementsByTagName('error') as $error) {
        [$text, $ours] = stacks($error, $object);
        if (!$ours) {
            $others++;
            continue;
        }
        $kind = $error->getElementsByTagName('kind')->item(0)->textContent;
        $bytes = (int) ($error->getElementsByTagName('leakedbytes')->item(0)?->textContent ?? 0);
        $lost += $bytes;
        $errors += $bytes > 0 ? 0 : 1;
        if (!isset($shown["$kind\n$text"])) {
            $shown["$kind\n$text"] = true;
            echo "$kind", $bytes > 0 ? " ($bytes bytes)" : '', "\n$text\n";
        }
    }
}
$processes = count($files);
echo "$tool: $processes processes, $errors errors, $lost bytes definitely lost in $object ($others errors of others)\n";
exit($processes > 0 && $errors === 0 && $lost === 0 ? 0 : 1);
