--TEST--
Who can read what: the table of docs/values.md
--FILE--
<?php
require __DIR__ . '/../inc/server.inc';

/** How the C extension writes a value (serializer php). */
function c_writes(mixed $v): string
{
    return match (true) {
        $v === null => '__TC_NULL__', $v === true => '__TC_TRUE__', $v === false => '__TC_FALSE__',
        is_string($v) => $v, is_int($v) => (string) $v, is_float($v) => sprintf('%.14G', $v),
        default => '__TC_SERIALIZED__' . base64_encode(serialize($v)),
    };
}

/** How the SDK writes it. */
function sdk_writes(mixed $v, callable $serialize): string
{
    $text = match (true) {
        is_string($v), is_int($v), is_float($v) => (string) $v,
        is_bool($v) => $v ? '__TC_TRUE__' : '__TC_FALSE__',
        $v === null => '__TC_NULL__',
        default => '__TC_SERIALIZED__' . base64_encode($serialize($v)),
    };
    return strtr($text, ["\t" => '\\t', "\n" => '\\n', "\r" => '\\r']);
}

/** How the C extension reads: the whole reply line has to fit into 8 KiB. */
function c_reads(string $wire): mixed
{
    if (strlen("VALUE\t$wire\n") > 8192) {
        return new LogicException('too long');
    }
    return match (true) {
        $wire === '__TC_NULL__' => null, $wire === '__TC_TRUE__' => true, $wire === '__TC_FALSE__' => false,
        str_starts_with($wire, '__TC_SERIALIZED__') => @unserialize(base64_decode(substr($wire, 17), true)),
        is_numeric($wire) => $wire + 0,
        default => $wire,
    };
}

/** How the SDK reads. */
function sdk_reads(string $wire, callable $unserialize): mixed
{
    $wire = str_replace(['\\t', '\\n', '\\r'], ["\t", "\n", "\r"], $wire);
    return match (true) {
        $wire === '__TC_NULL__' => null, $wire === '__TC_TRUE__' => true, $wire === '__TC_FALSE__' => false,
        str_starts_with($wire, '__TC_SERIALIZED__') => $unserialize(base64_decode(substr($wire, 17), true)),
        is_numeric($wire) => str_contains($wire, '.') ? (float) $wire : (int) $wire,
        default => $wire,
    };
}

$wire = fn (): string => substr(raw("GET\t" . k('v'))[0], 6);
$values = [
    'null' => null, 'bool' => true, 'int' => -42, 'int edge' => PHP_INT_MIN, 'empty' => '', 'text' => 'text é', 'tab' => "a\tb",
    'numeric string' => '007', 'marker' => '__TC_NULL__', 'line feed' => "a\nb", 'bytes' => "\xff\0", 'escape' => 'a\\nb', 'float' => 1.5,
    'float whole' => 1.0, 'float precise' => 0.1 + 0.2, 'float small' => 1e-7, 'array' => [1, 'a' => ['b']], 'object' => (object) ['a' => 1],
];

// What we write with the serializer php, others read; except what stands here.
$lost = ['c' => [], 'sdk' => ['float small']];
foreach ($values as $name => $value) {
    cache()->set(k('v'), $value);
    $same = fn (mixed $got): bool => serialize($got) === serialize($value);
    same(!in_array($name, $lost['c'], true), $same(c_reads($wire())), "the C extension reads $name: " . $wire());
    same(!in_array($name, $lost['sdk'], true), $same(sdk_reads($wire(), unserialize(...))), "the SDK reads $name: " . $wire());
}
cache()->set(k('v'), str_repeat('x', 9000));
same('too long', c_reads($wire())->getMessage(), 'the C extension does not read 9000 bytes');
foreach (['igbinary' => igbinary_unserialize(...), 'msgpack' => msgpack_unpack(...)] as $name => $unserialize) {
    cache(['serializer' => $name])->set(k('v'), [1, 'a' => ['b']]);
    same([1, 'a' => ['b']], sdk_reads($wire(), $unserialize), "the SDK set to $name reads what we write with it");
    same(false, c_reads($wire()), "the C extension does not read $name");
}
cache(['serializer' => 'json'])->set(k('v'), [1]);
same(['__TC_JSON__[1]', '__TC_JSON__[1]'], [c_reads($wire()), sdk_reads($wire(), unserialize(...))], 'json is a string for them');

// What the others write, we read; what they lose before it is on the wire, nobody gets back.
$spoilt = [
    'c' => ['numeric string' => '007', 'marker' => null, 'float whole' => 1, 'float precise' => 0.3],
    'sdk' => ['float precise' => 0.3, 'tab' => 'a\\tb', 'line feed' => 'a\\nb', 'marker' => null, 'float whole' => 1],
];
foreach ($values as $name => $value) {
    foreach (['c' => c_writes($value), 'sdk' => sdk_writes($value, serialize(...))] as $writer => $line) {
        if (str_contains($line, "\n") || !preg_match('//u', $line)) {
            continue; // breaks the protocol: a defect of the writer
        }
        raw("PUT\t" . k('v') . "\t-\t-\t$line");
        $expected = array_key_exists($name, $spoilt[$writer]) ? $spoilt[$writer][$name] : $value;
        alike($expected, cache()->get(k('v')), "$name, written by $writer as $line");
    }
}
foreach (['igbinary' => igbinary_serialize(...), 'msgpack' => msgpack_pack(...)] as $name => $serialize) {
    raw("PUT\t" . k('v') . "\t-\t-\t" . sdk_writes([1, 'a' => ['b']], $serialize));
    same([1, 'a' => ['b']], cache()->get(k('v')), "what the SDK writes with $name");
}
// A plain digit string of theirs is an integer for us, as it was for them.
raw("PUT\t" . k('v') . "\t-\t-\t" . c_writes('5'));
same(5, cache()->get(k('v')), 'the string "5" of an old client');
cache()->set(k('v'), '5');
throws(TagCache\ServerException::class, fn () => cache()->increment(k('v')), 'increment of the string "5"', 'not an integer');
cache()->set(k('v'), 5);
same(6, cache()->increment(k('v')), 'increment of 5');

finish();
--EXPECT--
ok
