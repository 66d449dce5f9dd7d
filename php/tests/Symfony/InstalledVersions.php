<?php

declare(strict_types=1);

namespace Composer;

/** Stands for Composer's class of this name, which Symfony 6 asks and Debian does not have. */
final class InstalledVersions
{
    public static function isInstalled(string $package): bool
    {
        return false;
    }
}
