<?php

declare(strict_types=1);

namespace TagCache\Tests\Symfony;

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Component\Config\Loader\LoaderInterface;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\HttpKernel\Kernel as HttpKernel;

/** The smallest application: the framework bundle, what is in the *.yaml of its directory, and one service. */
final class Kernel extends HttpKernel
{
    public function __construct(private readonly string $directory)
    {
        parent::__construct('test', true);
    }

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle()];
    }

    public function registerContainerConfiguration(LoaderInterface $loader): void
    {
        foreach (glob("$this->directory/*.yaml") as $file) {
            $loader->load($file);
        }
        $loader->load(function (ContainerBuilder $container): void {
            $container->loadFromExtension('framework', ['secret' => 'test']);
            if (is_file("$this->directory/1.yaml")) {
                $container->autowire(Autowired::class)->setPublic(true);
            }
            foreach (
                ['test.app' => 'cache.app', 'test.clearer' => 'cache.global_clearer', 'test.resetter' => 'services_resetter'] as $alias => $id
            ) {
                $container->setAlias($alias, $id)->setPublic(true);
            }
        });
    }

    public function getProjectDir(): string
    {
        return $this->directory;
    }

    public function getCacheDir(): string
    {
        return "$this->directory/cache";
    }

    public function getLogDir(): string
    {
        return "$this->directory/log";
    }
}
