<?php

declare(strict_types=1);

namespace TagCache\Support;

/**
 * What an adapter stores under a key: a value, and what it keeps beside it.
 *
 * A value with nothing beside it is stored as it is. Else a header goes before it, a line of text.
 * Only what needs a serializer goes through that of the handle: an array or object becomes the
 * second of two elements, a scalar becomes text behind the header. So a serializer that takes
 * little (`json`, `native`) takes as much here as it takes by itself.
 */
final class Entry
{
    private const MARK = 'tagcache/1 ';

    /**
     * @param list<string> $tags as the user named them
     * @param string $meta any bytes
     */
    public function __construct(
        public readonly mixed $value,
        public readonly array $tags = [],
        public readonly string $meta = '',
    ) {
    }

    /** What to store. */
    public function stored(): mixed
    {
        $value = $this->value;
        if ($this->tags === [] && $this->meta === '' && self::header($value) === null) {
            return $value;
        }
        $header = self::MARK . bin2hex($this->meta) . ' ' . implode(',', array_map(Room::encode(...), $this->tags));

        return match (true) {
            is_string($value) => "$header s$value",
            is_int($value) => "$header i$value",
            is_float($value) => "$header d" . bin2hex(pack('E', $value)),
            is_bool($value) => "$header b" . (int) $value,
            $value === null => "$header n",
            default => [$header, $value],
        };
    }

    /**
     * The entry that was stored so.
     *
     * @throws \TagCache\SerializationException if it has a header that says nothing
     */
    public static function of(mixed $stored): self
    {
        $header = self::header($stored);
        if ($header === null) {
            return new self($stored);
        }
        // The mark, meta, the tags, and the value if it is a scalar.
        $fields = explode(' ', $header, 4);
        $meta = (string) preg_replace('/[^0-9a-f]/', '', $fields[1] ?? '');
        if (count($fields) !== (is_array($stored) ? 3 : 4) || $meta !== $fields[1] || strlen($meta) % 2 !== 0) {
            throw self::damaged();
        }
        $tags = $fields[2] === '' ? [] : array_map('rawurldecode', explode(',', $fields[2]));

        return new self(is_array($stored) ? $stored[1] : self::scalar($fields[3]), $tags, hex2bin($meta));
    }

    /** The header of something stored, with all that follows if it is a text; null if it has none. */
    private static function header(mixed $stored): ?string
    {
        if (is_array($stored)) {
            if (count($stored) !== 2 || !array_key_exists(1, $stored)) {
                return null;
            }
            $stored = $stored[0] ?? null;
        }

        return is_string($stored) && str_starts_with($stored, self::MARK) ? $stored : null;
    }

    private static function scalar(string $text): string|int|float|bool|null
    {
        $rest = substr($text, 1);

        return match (true) {
            $text === 'n' => null,
            $text === 'b0', $text === 'b1' => $rest === '1',
            $text !== '' && $text[0] === 's' => $rest,
            $text === 'i' . (int) $rest => (int) $rest,
            preg_match('/^d[0-9a-f]{16}$/D', $text) === 1 => unpack('E', hex2bin($rest))[1],
            default => throw self::damaged(),
        };
    }

    private static function damaged(): \TagCache\SerializationException
    {
        return new \TagCache\SerializationException('The header of an entry of an adapter is damaged.');
    }
}
