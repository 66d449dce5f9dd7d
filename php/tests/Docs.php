<?php

declare(strict_types=1);

namespace TagCache\Tests;

/**
 * The snippets of README.md and docs/frameworks.md, so that what people copy from there is what was tested.
 */
final class Docs
{
    /** The code block that follows the line <!-- test: $name -->; names that begin with "readme" are README.md's. */
    public static function block(string $name): string
    {
        $file = str_starts_with($name, 'readme') ? 'README.md' : 'docs/frameworks.md';
        $page = dirname(__DIR__, 2) . "/$file";
        $pattern = '/^<!-- test: ' . preg_quote($name, '/') . " -->\n+```\\w+\n(.*?)^```$/ms";
        if (!preg_match($pattern, file_get_contents($page), $match)) {
            throw new \LogicException("$file has no block '$name'");
        }

        // The documented server is the one on the default port; the tests have their own.
        return str_replace('tagcache://127.0.0.1:1984', Server::dsn(), $match[1]);
    }
}
