--TEST--
The fault matrix: a sample in which every value of every dimension occurs
--FILE--
<?php
require __DIR__ . '/driver.inc';

same(4 * 3 * 11 * 6, count(all_cases()), 'the size of the product');
$sample = sample_cases(60);
foreach (DIMENSIONS as $dimension => $values) {
    same_set($values, array_values(array_unique(array_column($sample, $dimension))), $dimension);
}
foreach ($sample as $case) {
    same([], run_case($case), $case->name());
}
finish();
?>
--EXPECT--
ok
