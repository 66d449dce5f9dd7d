<?php

declare(strict_types=1);

namespace TagCache\Tests\Release;

/** What a release does to what is stored: the value, and how its bytes are different then. */
final class Changes
{
    /** @return array<string, array{mixed, array<string, string>}> */
    public static function all(): array
    {
        $object = new Before();
        $object->next = new Before();

        return [
            'a property was typed' => [new Before(), ['Before' => 'Typed_']],
            'in an array' => [['list' => [new Before()]], ['Before' => 'Typed_']],
            'a class was removed' => [new Before(), ['Before' => 'Absent']],
            'deep in an array' => [[[[new Before()]]], ['Before' => 'Absent']],
            'in a property' => [new \ArrayObject([new Before()]), ['Before' => 'Absent']],
            'a case of an enum was removed' => [Colour::Yellow, ['Yellow' => 'Purple']],
            'a hook throws an Error' => [[new Before()], ['Before' => 'Throws']],
            'a class became an enum' => [[new Before()], ['Before' => 'Colour']],
            'bytes were damaged' => [$object, ['s:4:"text"' => 's:9:"text"']],
        ];
    }
}
