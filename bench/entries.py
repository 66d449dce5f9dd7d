#!/usr/bin/env python3
"""What an entry occupies in the memory of the server, beside Redis.

  bench/entries.py --tagcached PATH [--out FILE] [--entries N]

Starts each server, stores entries with keys of 11 and values of 100 bytes, and looks how much its
resident memory has grown. Writes JSON. A server that is not installed is left out.
"""

import argparse
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

VALUE = b"x" * 100
BURST = 1000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port):
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise SystemExit(f"nobody listens on port {port}")


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no memory of process {pid}")


def key(n):
    return b"entry:%05x" % n


def line(n, tags):
    names = b",".join((b"group:%d" % (n % 1000), b"kind:%d" % (n % 10))[:tags])
    return b"PUT\t%s\t-\t%s\t%s\n" % (key(n), names or b"-", VALUE)


def resp(n, _):
    return b"*3\r\n$3\r\nSET\r\n$11\r\n%s\r\n$100\r\n%s\r\n" % (key(n), VALUE)


def grown(command, request, reply, entries, tags):
    """Bytes an entry, by the growth of the process that `command` starts."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        command = [part.replace("PORT", str(port)) for part in command]
        process = subprocess.Popen(
            command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with connect(port) as server:
                # The first entries bring buffers with them that are there once.
                fill(server, request, reply, range(entries, entries + BURST), tags)
                before = resident(process.pid)
                fill(server, request, reply, range(entries), tags)
                time.sleep(0.5)
                return (resident(process.pid) - before) / entries
        finally:
            process.terminate()
            process.wait()


def fill(server, request, reply, numbers, tags):
    for start in range(0, len(numbers), BURST):
        burst = numbers[start : start + BURST]
        server.sendall(b"".join(request(n, tags) for n in burst))
        expected = len(reply) * len(burst)
        while expected:
            expected -= len(server.recv(min(expected, 65536)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tagcached", required=True)
    parser.add_argument("--entries", type=int, default=500_000)
    parser.add_argument("--out")
    options = parser.parse_args()
    own = [str(pathlib.Path(options.tagcached).resolve()), "--listen", "127.0.0.1:PORT"]
    results = {}
    for tags, name in enumerate(["no tags", "one tag", "two tags"]):
        figure = grown(own, line, b"OK\n", options.entries, tags)
        results[f"tagcached, {name}"] = figure
    for other in ["redis-server", "valkey-server"]:
        if shutil.which(other):
            command = [other, "--port", "PORT", "--save", "", "--appendonly", "no"]
            results[other] = grown(command, resp, b"+OK\r\n", options.entries, 0)
    for name, figure in results.items():
        print(f"{name}: {figure:.0f} bytes an entry", file=sys.stderr)
    text = json.dumps({"entries": options.entries, "bytes": results}, indent=1) + "\n"
    if options.out:
        pathlib.Path(options.out).write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
