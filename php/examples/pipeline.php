<?php
/*
 * Many commands in one exchange. By hand, with a server on the default port:
 *
 *   php -d extension=/path/to/libtagcache.so php/examples/pipeline.php
 */
declare(strict_types=1);

$cache = new TagCache(getenv('TAGCACHE_DSN') ?: 'tagcache://127.0.0.1:1984');

// Nothing is sent before execute(), and then all of it at once, on one connection.
$pipeline = $cache->pipeline();
$pipeline->set('demo:user', ['name' => 'Ada'], ['demo'])
    ->set('demo:visits', 41, ['demo'])
    ->increment('demo:visits')
    ->get('demo:user')
    ->get('demo:nobody', 'a default')
    ->mGet(['demo:visits', 'demo:nobody']);
echo count($pipeline), " commands collected\n";
print_results($pipeline->execute());

// The pipeline is empty now and can be used again. What a command can't do stands in its place.
print_results($pipeline->set('demo:text', 'not a number', ['demo'])->increment('demo:text')->get('demo:text')->execute());

// Filled by a function, executed by the call.
[$user, $visits] = $cache->pipeline(function (TagCache\Pipeline $p): void {
    $p->get('demo:user')->get('demo:visits');
});
echo "$user[name] came $visits times\n";

// Values with tags and time to live of their own, and how many of them are new.
echo $cache->mSetItems([
    'demo:page' => ['value' => '<h1>Hello</h1>', 'tags' => ['demo', 'pages'], 'ttl_ms' => 60_000],
    'demo:menu' => ['value' => ['home', 'about'], 'tags' => ['demo']],
]), " items stored\n";
print_results($cache->mAdd(['demo:page' => 'a second one', 'demo:foot' => '(c)'], tags: ['demo']));

echo $cache->invalidateTag('demo'), " entries removed\n";

function print_results(array $results): void
{
    foreach ($results as $n => $result) {
        $text = $result instanceof Throwable ? get_class($result) . ': ' . $result->getMessage() : json_encode($result);
        echo "  $n: $text\n";
    }
}
