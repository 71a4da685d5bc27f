"""Plots as SVG: elements with places in per cent of the width and in pixels of the height.

So a plot fills its column at any width, and its letters keep their size. Colours are the style sheet's, by
class; a `title` in each mark says its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from ....text import plain
from ..figures import percent, quantile

BINS = 24
POINTS = 12  # of a curve; of more, some are drawn


def interval_bar(rate: Mapping[str, Any], *, height: int = 18) -> Markup:
    """A rate on a line from 0 to 100 %: its interval as a band, its value as a dot."""
    middle = height / 2
    svg = _svg(height, f"{_told(rate)}")
    _line(svg, 0, middle, 100, middle, "axis")
    for share in (0, 25, 50, 75, 100):
        _line(svg, share, middle - 3, share, middle + 3, "axis")
    if rate["n"]:
        low, high = 100 * rate["low"], 100 * rate["high"]
        _rect(svg, low, middle - 4, high - low, 8, "band")
        _dot(svg, 100 * rate["value"], middle, 5, "dot")
    return _markup(svg)


def outcome_bar(counts: Mapping[str, int], *, height: int = 14) -> Markup:
    """How many trials passed, failed and were excluded, as parts of one bar."""
    total = sum(counts.values())
    svg = _svg(height, ", ".join(f"{count} {name}" for name, count in counts.items()))
    _hatch(svg)
    start = 0.0
    for name, count in counts.items():
        width = 100 * count / total if total else 0
        if count:
            _rect(svg, start, 0, width, height, name, f"{count} {name}")
        start += width
    return _markup(svg)


def power_curve(powers: Mapping[str, Mapping[str, Any]], *, height: int = 190) -> Markup:
    """pass^k for every k, with its intervals."""
    points = [(int(k), rate) for k, rate in powers.items() if rate["n"]]
    every = math.ceil(len(points) / POINTS)
    points = [*points[:-1:every], points[-1]] if every > 1 else points
    svg = _svg(height, "; ".join(f"pass^{k} {_told(rate)}" for k, rate in points))
    frame = _Frame(top=10, bottom=height - 26, left=9, right=97)
    _shares(svg, frame)
    places = [
        (frame.across((n + 0.5) / len(points)), frame.up(rate["value"])) for n, (_, rate) in enumerate(points)
    ]
    for (x, y), (next_x, next_y) in pairwise(places):
        _line(svg, x, y, next_x, next_y, "curve")
    for (x, y), (k, rate) in zip(places, points, strict=True):
        _line(svg, x, frame.up(rate["low"]), x, frame.up(rate["high"]), "whisker")
        _dot(svg, x, y, 5, "dot", f"pass^{k} {_told(rate)}")
        _text(svg, x, height - 8, f"k = {k}" if len(points) < 8 else str(k), "middle")
    return _markup(svg)


@dataclass(frozen=True, slots=True)
class Amount:
    """What one trial took of something, and how the trial ended."""

    value: float
    passed: bool


def histogram(amounts: Sequence[Amount], label: Callable[[float], str], *, height: int = 170) -> Markup:
    """How many trials took how much; those that failed stand on those that passed."""
    values = [amount.value for amount in amounts]
    edges = bin_edges(values)
    bins = _binned(amounts, edges)
    most = max((passed + failed for passed, failed in bins), default=0) or 1
    svg = _svg(height, f"{len(values)} trials, median {label(quantile(values, 0.5))}")
    _hatch(svg)
    frame = _Frame(top=20, bottom=height - 26, left=7, right=99)
    for count in sorted({0, most // 2, most}):
        y = frame.up(count / most)
        _line(svg, frame.left, y, frame.right, y, "grid")
        _text(svg, frame.left - 1, y + 4, str(count), "end")
    width = (frame.right - frame.left) / len(bins)
    for place, (passed, failed) in enumerate(bins):
        x = frame.left + place * width + width * 0.08
        span = _span(edges[place], edges[place + 1], label)
        top = frame.up(passed / most)
        if passed:
            _rect(svg, x, top, width * 0.84, frame.bottom - top, "passed", f"{span}: {passed} passed")
        if failed:
            above = frame.up((passed + failed) / most)
            _rect(svg, x, above, width * 0.84, top - above, "failed", f"{span}: {failed} failed")
    _line(svg, frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    _quantiles(svg, frame, values, edges)
    for share, anchor, name in _ticks(edges, label):
        _text(svg, frame.across(share), height - 8, name, anchor)
    return _markup(svg)


def _span(low: float, high: float, label: Callable[[float], str]) -> str:
    """The values of a bin; those of whole numbers begin and end half a number off."""
    if low % 1 == high % 1 == 0.5:
        low, high = low + 0.5, high - 0.5
    return label(low) if low == high else f"{label(low)} to {label(high)}"


def _ticks(edges: Sequence[float], label: Callable[[float], str]) -> list[tuple[float, str, str]]:
    """Where along the axis which value is named: each of a few whole numbers, else both ends and the middle."""
    count = len(edges) - 1
    if edges[1] - edges[0] == 1 and edges[0] % 1 == 0.5:
        every = math.ceil(count / 12)
        return [
            ((place + 0.5) / count, "middle", label(edges[place] + 0.5)) for place in range(0, count, every)
        ]
    low, high = edges[0], edges[-1]
    if low % 1 == 0.5:
        low, high = low + 0.5, high - 0.5
    return [(0, "start", label(low)), (0.5, "middle", label((low + high) / 2)), (1, "end", label(high))]


def _quantiles(svg: Element, frame: _Frame, values: Sequence[float], edges: Sequence[float]) -> None:
    extent = edges[-1] - edges[0]
    if len(values) < 2 or not extent:
        return
    places = [(name, frame.across((quantile(values, q) - edges[0]) / extent)) for name, q in _MARKED]
    for _, x in places:
        _line(svg, x, frame.top - 4, x, frame.bottom, "mark")
    if places[1][1] - places[0][1] < 14:  # the two names would touch
        places = [("p50 · p95", (places[0][1] + places[1][1]) / 2)]
    for name, x in places:
        _text(svg, min(max(x, frame.left + 6), frame.right - 8), frame.top - 8, name, "middle")


_MARKED = (("p50", 0.5), ("p95", 0.95))


def bin_edges(values: Sequence[float], bins: int = BINS) -> list[float]:
    """The ends of the bins of a histogram: whole numbers get bins of a whole width.

    >>> bin_edges([1, 2, 4])
    [0.5, 1.5, 2.5, 3.5, 4.5]
    >>> bin_edges([0.0, 0.5], bins=2)
    [0.0, 0.25, 0.5]
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if all(float(value).is_integer() for value in values):
        width = math.ceil((high - low + 1) / bins)
        count = math.ceil((high - low + 1) / width)
        return [low - 0.5 + width * place for place in range(count + 1)]
    low = min(low, 0.0)
    return [low + (high - low) * place / bins for place in range(bins + 1)]


def _binned(amounts: Sequence[Amount], edges: Sequence[float]) -> list[tuple[int, int]]:
    counts = [[0, 0] for _ in edges[1:]]
    width = (edges[-1] - edges[0]) / len(counts)
    for amount in amounts:
        place = min(int((amount.value - edges[0]) / width), len(counts) - 1) if width else 0
        counts[place][not amount.passed] += 1
    return [(passed, failed) for passed, failed in counts]


# Elements


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where in a plot the values are drawn: top and bottom in pixels, left and right in per cent."""

    top: float
    bottom: float
    left: float
    right: float

    def up(self, share: float) -> float:
        return self.bottom - share * (self.bottom - self.top)

    def across(self, share: float) -> float:
        return self.left + share * (self.right - self.left)


def _svg(height: float, label: str) -> Element:
    svg = Element("svg", {"class": "plot", "height": _n(height), "width": "100%", "role": "img"})
    svg.set("aria-label", plain(label))
    return svg


def _hatch(svg: Element) -> None:
    """The pattern of what failed: told apart without its colour. Every plot has the same, under one name."""
    pattern = SubElement(
        SubElement(svg, "defs"),
        "pattern",
        {"id": "hatch", "width": "6", "height": "6", "patternUnits": "userSpaceOnUse"},
    )
    SubElement(pattern, "rect", {"width": "6", "height": "6", "class": "hatch-ground"})
    SubElement(pattern, "path", {"d": "M-1 1 L1 -1 M0 6 L6 0 M5 7 L7 5", "class": "hatch-line"})


def _shares(svg: Element, frame: _Frame) -> None:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = frame.up(share)
        _line(svg, frame.left, y, frame.right, y, "grid")
        _text(svg, frame.left - 1.5, y + 4, percent(share), "end")


def _line(svg: Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    places = {"x1": f"{_n(x1)}%", "y1": _n(y1), "x2": f"{_n(x2)}%", "y2": _n(y2)}
    SubElement(svg, "line", {"class": kind, **places})


def _rect(svg: Element, x: float, y: float, width: float, height: float, kind: str, title: str = "") -> None:
    places = {"x": f"{_n(x)}%", "y": _n(y), "width": f"{_n(width)}%", "height": _n(max(height, 0))}
    _titled(SubElement(svg, "rect", {"class": kind, **places}), title)


def _dot(svg: Element, x: float, y: float, radius: float, kind: str, title: str = "") -> None:
    _titled(
        SubElement(svg, "circle", {"class": kind, "cx": f"{_n(x)}%", "cy": _n(y), "r": _n(radius)}), title
    )


def _text(svg: Element, x: float, y: float, words: str, anchor: str) -> None:
    made = SubElement(svg, "text", {"x": f"{_n(x)}%", "y": _n(y), "text-anchor": anchor})
    made.text = plain(words)


def _titled(element: Element, title: str) -> None:
    if title:
        SubElement(element, "title").text = plain(title)


def _told(rate: Mapping[str, Any]) -> str:
    return f"{percent(rate['value'])} ({percent(rate['low'])} to {percent(rate['high'])}, n = {rate['n']})"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _markup(svg: Element) -> Markup:
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704  # made of elements, which escape their texts
