"""Geometry of the small charts that the server draws as SVG.

No script, no inline style: lengths are attributes. Each chart carries its numbers as a table too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. ``value`` gives its length, ``text`` is what is written beside it.

    ``note`` stands below; ``url`` opens the records behind the number; ``tone`` is a colour word.
    """

    label: Text
    value: float
    text: Text = ""
    note: Text = ""
    url: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar with its length as a percentage of the longest."""

    bar: Bar
    width: str

    @property
    def text(self) -> Text:
        """What is written beside the bar."""
        return self.bar.text or f"{self.bar.value:g}"


def draw_bars(bars: Sequence[Bar], *, longest: float | None = None) -> list[DrawnBar]:
    """Lengths relative to ``longest`` (default: the largest value); a small value stays visible."""
    top = longest or max((b.value for b in bars), default=0)
    return [DrawnBar(b, _percent(b.value, top)) for b in bars]


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line through equally spaced values, in a box of ``width`` × ``height``."""

    points: str
    area: str
    last_x: str
    last_y: str
    width: int
    height: int


def sparkline(values: Sequence[float], *, width: int = 96, height: int = 28) -> Sparkline | None:
    """The line from the lowest to the highest value; ``None`` with fewer than two values."""
    if len(values) < 2:
        return None
    low, high = min(values), max(values)
    room = height - 6
    step = (width - 6) / (len(values) - 1)
    xy = [
        (3 + i * step, 3 + (room / 2 if high == low else room * (high - v) / (high - low)))
        for i, v in enumerate(values)
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in xy)
    x, y = xy[-1]
    return Sparkline(
        points=points,
        area=f"{xy[0][0]:.1f},{height} {points} {x:.1f},{height}",
        last_x=f"{x:.1f}",
        last_y=f"{y:.1f}",
        width=width,
        height=height,
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """A line over time in a box of 1000 × 200 that stretches to its place, with level lines across.

    ``levels`` are (y, label, value); ``marks`` are the x of instants worth a look.
    """

    points: str
    area: str
    levels: tuple[tuple[str, Text, float], ...]
    marks: tuple[str, ...]
    top: float


def trend(
    values: Sequence[tuple[float, float]],
    *,
    levels: Sequence[tuple[Text, float]] = (),
    marks: Sequence[float] = (),
) -> Trend | None:
    """The line through (x, y) with x from 0 to 1 and y from 0 on; ``None`` with fewer than two points."""
    if len(values) < 2:
        return None
    top = max([y for _x, y in values] + [y for _label, y in levels]) * 1.08 or 1.0
    points = " ".join(f"{1000 * x:.1f},{_height(y, top)}" for x, y in values)
    first, last = 1000 * values[0][0], 1000 * values[-1][0]
    return Trend(
        points=points,
        area=f"{first:.1f},200 {points} {last:.1f},200",
        levels=tuple((_height(y, top), label, y) for label, y in levels),
        marks=tuple(f"{1000 * x:.1f}" for x in marks),
        top=top,
    )


def _height(value: float, top: float) -> str:
    return f"{200 - 200 * min(max(value, 0.0), top) / top:.1f}"


def _percent(value: float, top: float) -> str:
    if top <= 0 or value <= 0:
        return "0%"
    return f"{max(0.8, min(100.0, 100 * value / top)):.2f}%"
