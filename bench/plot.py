"""The plots of docs/benchmarks.md, as SVG that reads on light and dark pages."""

from html import escape
from math import ceil, floor, log10

FONT = "font-family='system-ui,sans-serif' font-size='12'"
INK, FAINT, GOOD, BAD = "#808890", "#80889055", "#2a9d5c", "#d1603d"
COLOURS = ("#3b78c2", "#d1603d", "#9b7fc4", "#2a9d5c")


class Picture:
    def __init__(self, width, height, title):
        self.parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}'"
            f" height='{height}' role='img' {FONT}>",
            f"<title>{escape(title)}</title>",
        ]
        self.text(8, 18, title, weight="bold")

    def text(self, x, y, words, anchor="start", colour=INK, weight="normal"):
        self.parts.append(
            f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}'"
            f" font-weight='{weight}'>{escape(words)}</text>"
        )

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1):
        self.parts.append(
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'"
            f" stroke-width='{width}'/>"
        )

    def dot(self, x, y, colour, radius=4):
        self.parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{colour}'/>")

    def bar(self, x, y, width, height, colour):
        self.parts.append(
            f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 0):.1f}' height='{height}'"
            f" fill='{colour}'/>"
        )

    def write(self, path):
        with open(path, "w") as out:
            out.write("\n".join(self.parts) + "\n</svg>\n")


def ratios(path, title, rows):
    """Ratios with their spread on a logarithmic scale, and the mark to reach."""
    left, right, top, step = 330, 790, 40, 20
    lows = [row["ratio"]["low"] for row in rows] + [0.5]
    highs = [row["ratio"]["high"] for row in rows] + [2.0]
    low, high = log10(min(lows)) - 0.03, log10(max(highs)) + 0.03

    def x(value):
        return left + (log10(value) - low) / (high - low) * (right - left)

    height = top + step * len(rows) + 34
    picture = Picture(right + 20, height, title)
    for mark in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        if low <= log10(mark) <= high:
            picture.line(x(mark), top, x(mark), height - 28, INK if mark == 1 else FAINT)
            picture.text(x(mark), height - 12, f"{mark:g}", "middle")
    for position, row in enumerate(rows):
        y = top + step * position + 12
        ratio, least = row["ratio"], row["at_least"]
        colour = COLOURS[0]
        if least:
            colour = GOOD if ratio["low"] >= least else BAD
            picture.line(x(least), y - 8, x(least), y + 8, INK, 2)
        picture.text(left - 10, y + 4, f"{row['group']}: {row['name']}, {row['payload']}", "end")
        picture.line(x(ratio["low"]), y, x(ratio["high"]), y, colour, 2)
        picture.dot(x(ratio["median"]), y, colour)
    picture.write(path)


def waits(path, title, cells):
    """p50, p99 and p99.9 of each pool on a logarithmic scale."""
    left, right, top, step = 160, 700, 40, 34
    values = [max(wait, 0.05) for cell in cells for wait in cell["wait_us"]]
    low, high = floor(log10(min(values))), ceil(log10(max(values)))

    def x(value):
        return left + (log10(max(value, 0.05)) - low) / max(high - low, 1) * (right - left)

    height = top + step * len(cells) + 34
    picture = Picture(right + 60, height, title)
    for power in range(low, high + 1):
        picture.line(x(10**power), top, x(10**power), height - 28)
        name = f"{10**power:g} us" if power < 3 else f"{10**(power - 3):g} ms"
        picture.text(x(10**power), height - 12, name, "middle")
    for position, cell in enumerate(cells):
        y = top + step * position + 20
        colour = COLOURS[position % len(COLOURS)]
        picture.text(left - 10, y + 4, cell["pool"], "end")
        spots = [x(wait) for wait in cell["wait_us"]]
        picture.line(spots[0], y, spots[-1], y, colour, 2)
        for spot, name in zip(spots, ("p50", "p99", "p99.9")):
            picture.dot(spot, y, colour)
            picture.text(spot, y - 8, name, "middle")
    picture.write(path)


def throughput(path, title, cells):
    """Bars of operations per second, grouped by threads and size."""
    groups = {}
    for cell in cells:
        groups.setdefault((cell["threads"], cell["size"]), []).append(cell)
    left, right, top = 130, 700, 60
    most = max(cell["per_second"] for cell in cells)
    height = top + sum(14 * len(group) + 12 for group in groups.values()) + 10
    picture = Picture(right + 80, height, title)
    for position, cell in enumerate(next(iter(groups.values()))):
        picture.bar(8 + 160 * position, 30, 10, 10, COLOURS[position])
        picture.text(24 + 160 * position, 40, cell["pool"])
    y = top
    for (threads, size), group in groups.items():
        picture.text(left - 10, y + 7 * len(group) + 4, f"{threads} threads on {size}", "end")
        for position, cell in enumerate(group):
            width = cell["per_second"] / most * (right - left)
            picture.bar(left, y + 14 * position, width, 11, COLOURS[position])
            picture.text(left + width + 6, y + 14 * position + 10,
                         f"{cell['per_second'] / 1e6:.1f} M/s")
        y += 14 * len(group) + 12
    picture.write(path)
