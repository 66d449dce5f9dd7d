<?php
/*
 * Judges XML files of valgrind: counts the errors whose stack goes through one object, prints each
 * of them once.
 *
 *   php valgrind-verdict.php TOOL OBJECT FILE...
 *
 * Ends with "TOOL: N processes, N errors, N bytes definitely lost in OBJECT (N errors of others)".
 * Fails if there was an error or a byte, or no process at all.
 *
 * Helgrind knows the locks of pthread and no others. What OBJECT synchronises by atomics and
 * futexes it reports as races within OBJECT: these are counted apart and are ThreadSanitizer's to judge. A race of which only one side is in OBJECT is an
 * error: the other side's locks are pthread's. As OBJECT has no pthread lock, a thread that ends
 * with one held is not OBJECT's doing.
 */
declare(strict_types=1);

[, $tool, $object] = $argv;
$files = array_filter(array_slice($argv, 3), is_file(...));
$races = $tool === 'helgrind';
$errors = $lost = $others = $unseen = 0;
$shown = [];

/**
 * Whether a race is within $object: both accesses are made by it, or one, on a block that it took
 * from malloc itself. In the second case the access that Helgrind remembers as the other one is of
 * the time before the block was ours: nothing from our own allocator is ever handed to PHP.
 */
function within(DOMElement $error, string $object): bool
{
    $meaning = 'access';
    $stacks = [];
    foreach ($error->childNodes as $node) {
        if ($node->nodeName === 'auxwhat' || $node->nodeName === 'xauxwhat') {
            $meaning = match (true) {
                str_contains($node->textContent, 'conflicts with') => 'other access',
                str_contains($node->textContent, 'inside a block of size') => 'block',
                default => 'else',
            };
        } elseif ($node instanceof DOMElement && $node->nodeName === 'stack') {
            $stacks[$meaning] ??= $node;
        }
    }
    $ours = fn (string $meaning) => isset($stacks[$meaning]) && stacks($stacks[$meaning], $object)[1];
    $from = isset($stacks['block']) ? $stacks['block']->getElementsByTagName('obj')->item(1) : null;
    return $ours('access') && (!isset($stacks['other access']) || $ours('other access')
        || basename($from?->textContent ?? '') === $object);
}

/** The frames of the stacks in an element as "function (file:line)", and whether one is in $object. */
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

/** The object whose allocator has asked malloc for the block that was lost. */
function allocator(DOMElement $error): string
{
    return basename($error->getElementsByTagName('obj')->item(1)?->textContent ?? '');
}

foreach ($files as $file) {
    $document = new DOMDocument();
    // A process that was killed leaves its file unfinished.
    $document->loadXML((string) file_get_contents($file), LIBXML_NOERROR | LIBXML_NOWARNING | LIBXML_RECOVER);
    $command = $document->getElementsByTagName('args')->item(0)?->textContent ?? '';
    // Pages that die: their heap PHP drops, which is off here, so only what is not PHP's can be lost.
    $dies = str_contains($command, 'tests/fibers/') && str_contains($command, '-S');
    foreach ($document->getElementsByTagName('error') as $error) {
        [$text, $ours] = stacks($error, $object);
        $kind = $error->getElementsByTagName('kind')->item(0)->textContent;
        if ($ours && $dies && str_starts_with($kind, 'Leak_')) {
            $ours = allocator($error) === $object;
        }
        if (!$ours) {
            $others++;
            continue;
        }
        if ($races && $kind === 'Race' && within($error, $object)) {
            $unseen++;
            continue;
        }
        if ($races && $kind === 'Misc' && str_contains($error->textContent, 'Exiting thread still holds')) {
            $others++;
            continue;
        }
        $bytes = (int) ($error->getElementsByTagName('leakedbytes')->item(0)?->textContent ?? 0);
        $lost += $bytes;
        $errors += $bytes > 0 ? 0 : 1;
        if (!isset($shown["$kind\n$text"])) {
            $shown["$kind\n$text"] = true;
            $arguments = $document->getElementsByTagName('args')->item(0)?->lastElementChild;
            echo basename(trim((string) $arguments?->lastElementChild?->textContent)), ": $kind", $bytes > 0 ? " ($bytes bytes)" : '', "\n$text\n";
        }
    }
}
$processes = count($files);
if ($races) {
    echo "$tool: $processes processes, $errors errors in $object ($unseen of its own synchronisation, "
        . "which the tool doesn't see; $others errors of others)\n";
    // A tool that saw nothing of the object has judged nothing.
    exit($processes > 0 && $errors === 0 && $unseen > 0 ? 0 : 1);
}
echo "$tool: $processes processes, $errors errors, $lost bytes definitely lost in $object ($others errors of others)\n";
exit($processes > 0 && $errors === 0 && $lost === 0 ? 0 : 1);
