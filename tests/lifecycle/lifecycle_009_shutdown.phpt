--TEST--
Handles work in shutdown functions and destructors, also at the very end
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$out = run_php(<<<'PHP'
    class Last
    {
        public function __construct(private TagCache $cache, private string $name)
        {
        }

        public function __destruct()
        {
            $this->cache->set("destroyed $this->name", [$this->name]);
            echo "destroyed $this->name\n";
        }
    }
    $cache = new TagCache(['host' => '127.0.0.1', 'port' => (int) $argv[1], 'pool_size' => 1]);
    $GLOBALS['late'] = new Last($cache, 'global');
    final class Holder
    {
        public static $kept;
    }
    Holder::$kept = new Last($cache, 'static');
    register_shutdown_function(function () use ($cache) {
        $cache->set('shutdown', 'ran');
        echo "shutdown\n";
    });
    echo "end\n";
    PHP, [$server->port]);
same(["end\nshutdown\n", 0, ''], [substr($out->output, 0, 13), $out->code, $out->errors], 'the script');
$cache = $server->cache();
same('ran', $cache->get('shutdown'), 'shutdown function');
same(['global'], $cache->get('destroyed global'), 'destructor of a global');
same(['static'], $cache->get('destroyed static'), 'destructor of a static property');

finish();
--EXPECT--
ok
