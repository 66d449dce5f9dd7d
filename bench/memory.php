<?php
/*
 * Whether the process grows: php memory.php HOST PORT OPERATIONS
 *
 * Calls of every kind on values of mixed sizes, with handles made and dropped on the way. What the
 * first tenth allocates is taken for warm-up; what is resident after it is compared with what is
 * resident after each further tenth. Prints JSON.
 */
declare(strict_types=1);

[, $host, $port, $operations] = $argv;
$operations = (int) $operations;

function resident_bytes(): int
{
    preg_match('/^VmRSS:\s+(\d+)/m', file_get_contents('/proc/self/status'), $found);
    return 1024 * (int) $found[1];
}

$values = ['short', str_repeat('text ', 200), random_bytes(3000), 42, 1.5, ['an' => ['array' => [1, 2, 3]]]];
$kinds = count($values);
$options = ['host' => $host, 'port' => (int) $port];
$done = 0;
$samples = [];
for ($tenth = 1; $tenth <= 10; $tenth++) {
    while ($done < $operations * $tenth / 10) {
        $cache = new TagCache($options);
        for ($i = 0; $i < 200; $i++) {
            $key = 'memory:' . $i;
            $cache->set($key, $values[$i % $kinds], ["tag$i"], 60_000);
            for ($read = 0; $read < 6; $read++) {
                if ($cache->get($key) != $values[$i % $kinds]) {
                    fwrite(STDERR, "memory: a wrong value\n");
                    exit(1);
                }
            }
            $cache->get('memory:absent');
            $cache->keysByTag("tag$i");
            $cache->delete($key);
            try {
                $cache->get("not\na key");
            } catch (TagCache\InvalidArgumentException) {
            }
            $done += 10;
        }
    }
    $samples[] = resident_bytes();
}
echo json_encode([
    'operations' => $done,
    'resident_bytes' => $samples,
    'grown_bytes' => $samples[9] - $samples[0],
]), "\n";
