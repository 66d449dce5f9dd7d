--TEST--
exit and fatal errors in every hook of a value: nothing is written, and shutdown functions may use the cache
--FILE--
<?php
require __DIR__ . '/../inc/child.inc';

$server = new Fault();
$classes = <<<'PHP'
    error_reporting(E_ALL & ~E_DEPRECATED);
    class Leaver
    {
        public static string $by = '';

        public static function leave(string $hook): void
        {
            if ($hook === self::$by) {
                echo 'leaving;';
                exit(7);
            }
            if ("fatal $hook" === self::$by) {
                echo 'leaving;';
                eval('class Leaver {}');
            }
        }
    }
    class Modern
    {
        public function __serialize(): array { Leaver::leave('__serialize'); return [1]; }
        public function __unserialize(array $data): void { Leaver::leave('__unserialize'); }
    }
    class Older
    {
        public $a = 1;
        public function __sleep() { Leaver::leave('__sleep'); return ['a']; }
        public function __wakeup() { Leaver::leave('__wakeup'); }
    }
    PHP . "\n" . <<<'PHP'
    eval('class Oldest implements Serializable
    {
        public function serialize() { Leaver::leave("serialize"); return "x"; }
        public function unserialize($bytes) { Leaver::leave("unserialize"); }
    }');
    PHP;
$ran = 0;
foreach (['__serialize', '__sleep', 'serialize', '__unserialize', '__wakeup', 'unserialize'] as $hook) {
    foreach (['', 'fatal '] as $how) {
        $server->cache()->set('kept', 'stays');
        $server->cache()->delete('k');
        $out = run_php(<<<PHP
            $classes
            \$cache = new TagCache(['host' => '127.0.0.1', 'port' => $server->port, 'pool_size' => 1]);
            \$one = new stdClass();
            \$value = [\$one, new Modern(), new Older(), new Oldest(), \$one];
            \$cache->set('leaver', \$value);
            register_shutdown_function(function () use (\$cache, \$one) {
                \$cache->set('later', [\$one, [\$one]]);
                echo \$cache->get('kept'), ';', \$cache->poolStats()['in_use'], ';', (\$got = \$cache->get('later'))[0] === \$got[1][0] ? 'one' : 'two';
            });
            Leaver::\$by = '$how$hook';
            str_contains('$hook', 'un') || str_contains('$hook', 'wake') ? \$cache->get('leaver') : \$cache->mSet(['j' => 1, 'k' => \$value]);
            echo 'not reached';
            PHP);
        $name = "$how$hook";
        same(['leaving;stays;0;one', $how ? 255 : 7, 0], [preg_replace('/\nFatal.*/s', '', $out->output), $out->code, $out->signal], "$name: $out->errors");
        same(false, $server->cache()->has('k'), "$name: nothing was written");
        $ran++;
    }
}
same(12, $ran, 'all of them ran');

finish();
--EXPECT--
ok
