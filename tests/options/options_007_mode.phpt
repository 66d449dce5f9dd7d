--TEST--
mode http and auto say that this extension speaks TCP only
--FILE--
<?php
require __DIR__ . '/../inc/test.inc';

$class = TagCache\InvalidArgumentException::class;
foreach (['http', 'auto'] as $mode) {
    throws($class, fn () => new TagCache(['mode' => $mode]), "mode $mode", "'$mode'", 'TCP', 'only');
    throws($class, fn () => new TagCache("tagcache://localhost?mode=$mode"), "mode $mode in a DSN", 'TCP');
    same(false, raises(E_WARNING, fn () => tagcache_create(['mode' => $mode]), "tagcache_create, mode $mode", 'TCP'), 'tagcache_create');
}
foreach (['', 'TCP', 'udp', 'tcp '] as $mode) {
    throws($class, fn () => new TagCache(['mode' => $mode]), "mode '$mode'", 'mode', 'tcp');
}
same(TagCache::class, get_class(new TagCache(['mode' => 'tcp'])), 'mode tcp');

finish();
--EXPECT--
ok
