<?php
/*
 * Commands that are answered while the script works. By hand, with a server on the default port:
 *
 *   php -d extension=/path/to/libtagcache.so php/examples/batch.php
 */
declare(strict_types=1);

$cache = new TagCache(getenv('TAGCACHE_DSN') ?: 'tagcache://127.0.0.1:1984');
$cache->mSet(['demo:head' => '<h1>Shop</h1>', 'demo:foot' => '(c)', 'demo:stock' => 7], tags: ['demo']);

$batch = $cache->batch();
$head = $batch->get('demo:head');
$foot = $batch->get('demo:foot');
$stock = $batch->decrement('demo:stock');
$side = $batch->get('demo:side', '(nothing)');
$batch->send();

// The server answers while this runs.
$sum = array_sum(array_map(sqrt(...), range(1, 200_000)));
printf("worked meanwhile: %.1f\n", $sum);

// At most 50 ms more; what is there by then can be used.
if (!$batch->wait(0.05)) {
    echo "not all of it has come\n";
}
foreach (['head' => $head, 'foot' => $foot, 'stock' => $stock, 'side' => $side] as $name => $future) {
    echo "  $name: ", $future->ready() ? json_encode($future->value()) : '(later)', "\n";
}

// value() waits if need be, and throws what the command would have thrown.
$wrong = $cache->batch()->increment('demo:head');
try {
    $wrong->value();
} catch (TagCache\ServerException $e) {
    echo $e->getMessage(), "\n";
}

echo $cache->invalidateTag('demo'), " entries removed\n";
