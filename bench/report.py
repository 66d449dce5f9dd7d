"""Writes the tables of docs/benchmarks.md and the plots from the figures of scripts/bench.sh.

    report.py RESULTS DOCUMENT PHP

What stands in the document outside of the marks is left as it is. Figures that were not measured
this time are taken from the file of an earlier run, if there is one.
"""

import json
import os
import platform
import subprocess
import sys

import plot
from stats import summary

BEGIN = "<!-- measured: scripts/bench.sh writes from here -->"
END = "<!-- measured: to here -->"
AGAINST = {
    "raw-tagcached": "raw socket, tagcached",
    "raw-real": "raw socket, real server",
    "redis": "php-redis with Redis",
    "memcached": "php-memcached with memcached",
}


def load(results, name):
    try:
        with open(os.path.join(results, name + ".json")) as source:
            return json.load(source)
    except FileNotFoundError:
        return None


def verdict(reached, nearly):
    if reached:
        return "yes"
    return "median only" if nearly else "**no**"


def rate(per_second):
    return f"{per_second / 1000:.1f} k" if per_second >= 10_000 else f"{per_second:,.0f}"


def calls_rows(calls):
    for row in calls["rows"]:
        if "ratio" not in row:
            continue
        ratio, least = row["ratio"], row["at_least"]
        keys = int(row["name"].split()[1].rstrip(",")) if row["name"].startswith(("mGet", "mSet")) else 1
        yield [
            f"{row['name']}, {row['payload']}",
            AGAINST[row["group"]],
            f"{least:.2f}" if least else "-",
            f"{ratio['median']:.2f}",
            f"{ratio['low']:.2f}",
            verdict(ratio["low"] >= least, ratio["median"] >= least) if least else "-",
            " / ".join(rate(value * keys) for value in row["per_second"]),
        ]


def measured_ratio(what, against, least, values, extra=""):
    ratio = summary(values)
    return [what, against, f"{least:.2f}" if least else "-", f"{ratio['median']:.2f}", f"{ratio['low']:.2f}",
            verdict(ratio["low"] >= least, ratio["median"] >= least) if least else "-", extra]


def measured_limit(what, against, limit, unit, median, high, form="{:.0f}"):
    def show(value):
        return f"{form.format(value)} {unit}".strip()

    return [what, against, f"under {show(limit)}", show(median), show(high),
            verdict(high < limit, median < limit), ""]


def other_rows(results, calls):
    if calls:
        for row in calls["rows"]:
            if "ns" in row:
                yield measured_limit(row["name"], "-", row["below_ns"], "ns",
                                     row["ns"]["median"], row["ns"]["high"])
    turn = load(results, "turn")
    if turn and "tagcache" in turn:
        yield measured_limit("check-out + check-in, uncontended, in memory", "-", 60, "ns",
                             turn["tagcache"]["ns"], turn["tagcache"]["high"])
    pool = load(results, "pool")
    for pair in pool["pairs"] if pool else []:
        if pair["name"].startswith("memory"):
            yield measured_ratio("8 threads on 8, in memory", "r2d2", 3, pair["throughput"])
        else:
            yield measured_ratio("64 threads on 8, over the wire: throughput", "r2d2", 1.2,
                                 pair["throughput"])
            waits, fair = summary(pair["wait"]), summary(pair["max_min"])
            yield measured_limit("the same: p99.9 wait", "r2d2", 0.5, "x", waits["median"],
                                 waits["high"], "{:.2f}")
            yield measured_limit("the same: max/min operations a thread", "-", 1.2, "",
                                 fair["median"], fair["high"], "{:.2f}")
    apache = load(results, "apache")
    if apache:
        for other, against, least in (
            ("handle", "the same page without the get", 0.75),
            ("without", "the page without the get and its handle", None),
        ):
            ratios = [a / b for a, b in zip(apache["with"], apache[other])]
            both = [summary(apache[name])["median"] for name in ("with", other)]
            yield measured_ratio("Apache, 64 threads, one get a request", against, least, ratios,
                                 " / ".join(rate(value) for value in both))
    idle = load(results, "idle")
    if idle:
        size = idle["idle_connection_bytes"]
        yield measured_limit("memory of an idle connection", "-", 20_000, "bytes", size, size)
    entries = load(results, "entries")
    if entries:
        sizes = entries["bytes"]
        redis = sizes.get("redis-server")
        beside = f"Redis: {redis:.0f} bytes" if redis else "Redis is not there"
        for name, most in [("no tags", 190), ("two tags", 225)]:
            size = sizes[f"tagcached, {name}"]
            yield [f"memory of an entry in the server, {name}", "Redis" if redis else "-",
                   f"at most {most} bytes", f"{size:.0f} bytes", f"{size:.0f} bytes",
                   verdict(size <= most, False), beside]
    growth = load(results, "growth")
    if growth:
        samples = growth["resident_bytes"]
        # What grows with the operations grows in the second half as well; a step before it is warm-up.
        half = samples[len(samples) // 2 - 1:]
        grown, most = half[-1] - half[0], max(half) - half[0]
        yield [f"growth over {growth['operations']:,} operations, in their second half", "-", "none",
               f"{grown / 1024:.0f} KB", f"{most / 1024:.0f} KB", verdict(grown <= 64 << 10, False),
               f"resident: {samples[-1] / 1e6:.1f} MB; in the first half "
               f"{(half[0] - samples[0]) / 1024:.0f} KB more"]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def machine(php):
    def first_line(*command):
        try:
            text = subprocess.run(command, capture_output=True, text=True).stdout
            return text.splitlines()[0] if text else "?"
        except OSError:
            return "?"

    model = "?"
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    versions = "".join(
        f"; {name} {version}" for name, version in (
            ("PHP", first_line(php, "-n", "-r", "echo PHP_VERSION;")),
            ("php-redis", first_line(php, "-n", "-d", "extension=igbinary", "-d",
                                     "extension=redis", "-r", "echo phpversion('redis');")),
            ("php-memcached", first_line(php, "-n", "-d", "extension=igbinary", "-d",
                                         "extension=msgpack", "-d", "extension=memcached", "-r",
                                         "echo phpversion('memcached');")),
            ("Redis", first_line("redis-server", "--version").split("v=")[-1].split()[0]),
            ("memcached", first_line("memcached", "--version").split()[-1]),
        )
    )
    return f"{os.cpu_count()} processors {model}, Linux {platform.release()}{versions}."


def pool_tables(results, pool):
    lines = []
    for group, title in (
        ("wire", "Over the wire: 64 threads on 8 connections, one GET of 100 bytes a loan"),
        ("memory", "In memory: the pool alone"),
    ):
        cells = [cell for cell in pool["cells"] if cell["group"] == group]
        lines += ["", f"### {title}", ""]
        lines += table(
            ["threads", "size", "pool", "operations/s", "wait p50 us", "p99", "p99.9", "max/min"],
            [[str(cell["threads"]), str(cell["size"]), cell["pool"], f"{cell['per_second']:,.0f}"]
             + [f"{wait:,.1f}" for wait in cell["wait_us"]] + [f"{cell['max_min']:,.2f}"]
             for cell in cells],
        )
        # What is no pool is in the table only.
        cells = [cell for cell in cells if cell["pool"] != "ArrayQueue alone"]
        if group == "wire":
            plot.waits(os.path.join(results, "wait.svg"),
                       "Wait for a connection, 64 threads on 8, over the wire", cells)
            lines += ["", "![wait for a connection](../bench/results/wait.svg)"]
        else:
            plot.throughput(os.path.join(results, "pool.svg"),
                            "Check-outs and check-ins a second, in memory", cells)
            lines += ["", "![throughput in memory](../bench/results/pool.svg)"]
    return lines


def main():
    results, document, php = sys.argv[1:]
    calls, pool, turn = (load(results, name) for name in ("calls", "pool", "turn"))
    lines = ["", "Measured on: " + machine(php), "", "### To reach, and reached", ""]
    rows = list(calls_rows(calls)) if calls else []
    rows += other_rows(results, calls)
    lines += table(["what", "against", "to reach", "median", "95 % bound", "reached",
                    "a second: ours / theirs"], rows)
    if calls:
        plot.ratios(os.path.join(results, "ratios.svg"),
                    "Ours against others: right of 1 is faster, the tick is to be reached",
                    [row for row in calls["rows"] if "ratio" in row])
        lines += ["", "![ratios](../bench/results/ratios.svg)"]
    if pool:
        lines += pool_tables(results, pool)
    if turn:
        lines += ["", "### One check-out and check-in, nobody else about", ""]
        lines += table(["pool", "median ns"],
                       [[name, f"{of['ns']:.1f}"] for name, of in turn.items()])
    with open(document) as source:
        text = source.read()
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    with open(document, "w") as out:
        out.write(before + BEGIN + "\n".join(lines) + "\n\n" + END + after)


if __name__ == "__main__":
    main()
