--TEST--
A page dies while a Fiber of it is suspended in a call: a sample in which every pair of values occurs
--FILE--
<?php
require __DIR__ . '/fibers.inc';

$count = fn (string ...$pair) => count(array_unique(array_map(
    fn (array $page) => $page[$pair[0]] . '/' . $page[$pair[1]],
    sample_pages()
)));
same(count(HOOKS) * count(AFTERWARDS), $count('hook', 'then'), 'pairs of hook and then');
same(count(DYING) * count(AFTERWARDS), $count('who', 'then'), 'pairs of who and then');
same(count(ENDS) * count(AFTERWARDS), $count('end', 'then'), 'pairs of end and then');
take_pages(sample_pages());
finish();
--EXPECT--
ok
