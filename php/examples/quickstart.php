<?php
/*
 * TagCache in one page. `make demo` runs it; by hand, with a server on the default port:
 *
 *   php -d extension=/path/to/libtagcache.so php/examples/quickstart.php
 */
declare(strict_types=1);

// Making a handle opens no connection yet. All handles of the process share one pool.
$cache = new TagCache(getenv('TAGCACHE_DSN') ?: 'tagcache://127.0.0.1:1984?pool_size=8');

section('Store values, each under any number of tags');
$cache->set('user:42', ['name' => 'Ada', 'langs' => ['en', 'fr']], ['users', 'team:7']);
$cache->set('user:43', ['name' => 'Grace', 'langs' => ['en']], ['users', 'team:8']);
$cache->set('front-page', '<h1>Hello</h1>', ['pages', 'team:7'], ttl_ms: 60_000);
show('keys tagged users', $cache->keysByTag('users'));
show('keys tagged users and team:7', $cache->searchAll(['users', 'team:7']));

section('Read them back: a value comes back as it went in');
show("get('user:42')", $cache->get('user:42'));
show("get('nobody')", $cache->get('nobody'));
show("get('nobody', 'my default')", $cache->get('nobody', 'my default'));
show("has('front-page')", $cache->has('front-page'));

section('Many at once: one exchange with the server, however many there are');
show('mSet: stored', $cache->mSet(['pi' => 3.14, 'yes' => true, 'nothing' => null], tags: ['demo']));
show('mGet: those that exist, in the order asked', $cache->mGet(['nothing', 'absent', 'pi', 'yes']));

section('Invalidate by tag: team 7 has changed, everything that shows it goes');
show("invalidateTag('team:7'): removed", $cache->invalidateTag('team:7'));
show("get('user:42')", $cache->get('user:42'));
show("get('front-page')", $cache->get('front-page'));
show("get('user:43') is of team 8 and stays", $cache->get('user:43'));

section('Count: increments are atomic, whoever else counts');
show("increment('hits')", $cache->increment('hits', ttl_ms: 60_000, tags: ['demo']));
show("increment('hits', 10)", $cache->increment('hits', 10));
show("add('hits', 0) keeps what is there", $cache->add('hits', 0));

section('Errors are exceptions that say what to do');
try {
    $cache->set('key', 'value', ttl_ms: -5);
} catch (TagCache\Exception $e) {
    show(get_class($e), $e->getMessage());
}

section('The pool behind it');
foreach ($cache->poolStats() as $name => $value) {
    show($name, $value);
}

// Leave the server as we found it.
$cache->invalidateTags(['users', 'demo']);

function section(string $title): void
{
    echo "\n$title\n", str_repeat('-', strlen($title)), "\n";
}

function show(string $what, mixed $value): void
{
    $text = is_string($value) ? $value : json_encode($value, JSON_UNESCAPED_SLASHES);
    echo str_pad("  $what ", 48, '.'), ' ', $text, "\n";
}
