"""Compares clients through PHP with each other and with a raw socket, all on one processor.

Called by scripts/bench.sh. Every contender is a process that waits for orders (worker.php,
raw_bound.rs); they and their servers share one processor, this script stays on another if there
is one. A comparison of A with B is a number of pairs, each measured in the order A B B A, and its
figure is the median of the pairs' ratios. Writes calls.json.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time

from stats import median, summary

PAYLOADS = ("text", "random")


class Comparison:
    """`first` against `second`, each "client@server", at `what number`; `least` is to be reached."""

    def __init__(self, group, name, first, second, what, number, least, payloads=PAYLOADS):
        self.group, self.name, self.least = group, name, least
        self.first, self.second = first, second
        self.what, self.number, self.payloads = what, number, payloads


def comparisons(real):
    rows = []
    ours, raw = "tagcache@tagcached", "raw@tagcached"
    redis, memcached = "redis@redis", "memcached@memcached"

    def add(*arguments, **more):
        rows.append(Comparison(*arguments, **more))

    for server in ["tagcached"] + (["real"] if real else []):
        for what in ("get", "set"):
            for size, name in ((100, "100 B"), (1024, "1 KB"), (7168, "7 KB")):
                add("raw-" + server, f"{what} {name}", f"tagcache@{server}", f"raw@{server}",
                    what, size, 0.97)
    add("redis", "get 100 B", ours, redis, "get", 100, 1.25)
    add("memcached", "get 100 B", ours, memcached, "get", 100, 1.20)
    for what in ("set", "get"):
        add("memcached", f"{what} 64 KB", ours, memcached, what, 65536, 0.90)
    for number in (10, 100, 1000):
        if real:
            add("raw-real", f"mGet {number}", "tagcache@real", "raw@real", "mget", number, 0.95)
        add("raw-tagcached", f"mGet {number}", ours, raw, "mget", number,
            0.50 if number == 1000 else None)
    for number in (100, 1000):
        add("redis", f"mGet {number}", ours, redis, "mget", number, 1.50)
    add("redis", "mSet 1000, a tag and a TTL each", ours, redis, "mset", 1000, 1.00)
    for server in ["tagcached"] + (["real"] if real else []):
        for what, number, name in (
            ("keysbytag", 1000, "keysByTag 1000"),
            ("invtag", 100, "invalidateTag 100"),
        ):
            add("raw-" + server, name, f"tagcache@{server}", f"raw@{server}", what, number, 0.95,
                payloads=("text",))
    # What a probe and a time limit cost a raw socket: no client that has both gets nearer to it.
    for server in ["tagcached"] + (["real"] if real else []):
        add("raw-" + server, "get 100 B, raw with both safeties", f"guarded@{server}",
            f"raw@{server}", "get", 100, None, payloads=("text",))
    if real:
        # The seal of a batch is one command more.
        add("raw-real", "mGet 10, raw with all safeties", "guarded@real", "raw@real", "mget", 10,
            None, payloads=("text",))
    # For the reader only: how the others stand to what is not to be reached.
    for what in ("get", "set"):
        add("raw-tagcached", f"{what} 64 KB", ours, raw, what, 65536, None)
    add("redis", "set 100 B", ours, redis, "set", 100, None)
    add("memcached", "set 100 B", ours, memcached, "set", 100, None)
    add("memcached", "mGet 100", ours, memcached, "mget", 100, None)
    return rows


def ideas(real):
    """What a raw socket would win by this and that; `second` is without."""
    for server in ["tagcached"] + (["real"] if real else []):
        for client, name, what, number in (
            ("copying", "set 64 KB, put together in a buffer", "set", 65536),
            ("waiting", "mGet 100, SO_RCVLOWAT", "mget", 100),
            ("waiting", "mGet 1000, SO_RCVLOWAT", "mget", 1000),
            ("two", "mGet 100, over two connections", "mget", 100),
            ("two", "mGet 1000, over two connections", "mget", 1000),
        ):
            yield Comparison("idea-" + server, name, f"{client}@{server}", f"raw@{server}", what,
                             number, None, payloads=("text",))


class Worker:
    """A contender in its own process."""

    def __init__(self, command, pin):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin
        )
        self.prepared = None

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise SystemExit(f"a worker ended at '{line}'; what it said is above")
        return answer

    def prepare(self, what, number, payload):
        order = f"prepare {what} {number} {payload}"
        if self.prepared != order:
            self.ask(order)
            self.prepared = order

    def run(self, count):
        return int(self.ask(f"run {count}"))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process, name):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise SystemExit(f"{name} did not start; what it said is above")


class Bench:
    def __init__(self, options):
        self.options = options
        self.processors = sorted(os.sched_getaffinity(0))
        self.servers, self.ports, self.workers = [], {}, {}
        self.unpinned = options.all_processors or len(self.processors) < 2
        if not self.unpinned:
            os.sched_setaffinity(0, self.processors[1:])

    def pin(self):
        if not self.unpinned:
            os.sched_setaffinity(0, self.processors[:1])

    def serve(self, name, command):
        port = free_port()
        command = [word.replace("PORT", str(port)) for word in command]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=self.pin)
        self.servers.append(process)
        wait_for(port, process, name)
        self.ports[name] = ("127.0.0.1", port)

    def start(self):
        self.serve("tagcached", [self.options.tagcached, "--listen", "127.0.0.1:PORT"])
        self.serve("redis", ["redis-server", "--port", "PORT", "--bind", "127.0.0.1",
                             "--save", "", "--appendonly", "no"])
        self.serve("memcached", ["memcached", "-l", "127.0.0.1", "-p", "PORT", "-U", "0",
                                 "-m", "256"] + (["-u", "nobody"] if os.getuid() == 0 else []))
        if self.options.real:
            host, port = self.options.real.rsplit(":", 1)
            self.ports["real"] = (host, int(port))
            # One that runs already is moved to the processor of the others for the time being,
            # as far as we may.
            pid = listener_of(int(port))
            if pid and not self.unpinned:
                pin_threads(pid, self.processors[:1])
                self.real = pid

    real = None

    def worker(self, place):
        if place not in self.workers:
            client, server = place.split("@")
            host, port = self.ports[server]
            if client in ("raw", "guarded", "copying", "waiting", "two"):
                command = [self.options.raw, f"{host}:{port}", client]
            else:
                command = [self.options.php, "-n"]
                for extension in ("igbinary", "msgpack", "redis", "memcached"):
                    command += ["-d", f"extension={extension}"]
                command += ["-d", f"extension={self.options.extension}", "-d", "memory_limit=1G"]
                command += [os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.php")]
                command += [client, host, str(port)]
            self.workers[place] = Worker(command, self.pin)
        return self.workers[place]

    def compare(self, row, payload):
        first, second = self.worker(row.first), self.worker(row.second)
        client, server = row.first.split("@")
        if client != "tagcache":
            # What raw ones look at has to be stored by the extension.
            self.worker(f"tagcache@{server}").prepare(row.what, row.number, payload)
        # The raw one looks at what the extension has stored.
        first.prepare(row.what, row.number, payload)
        second.prepare(row.what, row.number, payload)
        counts = [self.calibrate(worker) for worker in (first, second)]
        ratios, rates = [], ([], [])
        for _ in range(self.options.pairs):
            took = [0, 0]
            for which in (0, 1, 1, 0):
                count = counts[which]
                took[which] += (first, second)[which].run(count) / count / 2
            ratios.append(took[1] / took[0])
            for which in (0, 1):
                rates[which].append(1e9 / took[which])
        return {
            "group": row.group,
            "name": row.name,
            "payload": payload,
            "first": row.first,
            "second": row.second,
            "at_least": row.least,
            "ratio": summary(ratios),
            "ratios": ratios,
            "per_second": [median(rates[0]), median(rates[1])],
        }

    def calibrate(self, worker):
        """How many steps fill a slice."""
        count = 1
        while True:
            took = worker.run(count)
            if took > self.options.slice_ms * 1e6 / 4:
                return max(1, round(count * self.options.slice_ms * 1e6 / took))
            count *= 4

    def single(self, what, name, below_ns):
        """A cost that is compared with a number."""
        worker = self.worker("tagcache@tagcached")
        worker.prepare(what, 0, "-")
        count = self.calibrate(worker)
        took = [worker.run(count) / count for _ in range(self.options.pairs)]
        return {"group": "cost", "name": name, "below_ns": below_ns, "ns": summary(took)}

    def stop(self):
        for worker in self.workers.values():
            worker.end()
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.wait()
        if self.real:
            pin_threads(self.real, self.processors)


def listener_of(port):
    """The process of ours that listens on a port of this machine, if it can be found."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as lines:
            for line in list(lines)[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{words[9]}]")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{fd}") in inodes:
                    return int(pid)
        except OSError:
            continue
    return None


def pin_threads(pid, processors):
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), processors)
    except OSError:
        print("bench: the real server could not be pinned", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    for name in ("tagcached", "raw", "php", "extension", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--real", default="")
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--slice-ms", type=float, default=25)
    parser.add_argument("--only", default="", help="comparisons whose 'group name' contains this")
    parser.add_argument("--ideas", action="store_true", help="what a raw socket would win by ideas")
    parser.add_argument("--all-processors", action="store_true", help="pin nobody")
    options = parser.parse_args()
    bench = Bench(options)
    results = []
    try:
        bench.start()
        all_rows = ideas(options.real) if options.ideas else comparisons(options.real)
        rows = [row for row in all_rows
                if options.only in f"{row.group} {row.name}"]
        # Those that share workers and data follow each other.
        work = [(row, payload) for row in rows for payload in row.payloads]
        for position, (row, payload) in enumerate(work):
            result = bench.compare(row, payload)
            results.append(result)
            ratio = result["ratio"]
            least = f"  to reach {row.least:.2f}" if row.least else ""
            print(f"  {position + 1:3}/{len(work)}  {row.group:14} {row.name:32} {payload:7}"
                  f"{ratio['median']:6.2f} (at least {ratio['low']:.2f}){least}",
                  file=sys.stderr, flush=True)
        if options.only in "cost new TagCache" and not options.ideas:
            results.append(bench.single("new", "new TagCache on a live pool", 2000))
            print(f"  new TagCache: {results[-1]['ns']['median']:.0f} ns", file=sys.stderr)
    finally:
        bench.stop()
    with open(options.out, "w") as out:
        json.dump({"pairs": options.pairs, "slice_ms": options.slice_ms, "rows": results}, out,
                  indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
